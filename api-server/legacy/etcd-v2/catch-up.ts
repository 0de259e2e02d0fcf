/**
 * Linearised reads: one question to the store, asked after the reader came and shared by all who came before it was
 * asked; then the tree waits for the answer's revision.
 */
import type { Store } from '../../store/store.ts'
import { inTime } from './in-time.ts'
import { INDEX_KEY } from './records.ts'
import type { Replica } from './replica.ts'

const TIMEOUT_MS = 10_000

export function createCatchUp(store: Store, replica: Replica): () => Promise<void> {
  let asking: Promise<void> | undefined
  let next: Promise<void> | undefined
  const ask = async () => {
    const { kv } = await inTime(store.get(INDEX_KEY), TIMEOUT_MS)
    if (kv !== undefined) await replica.caughtUpTo(kv.modified, TIMEOUT_MS)
  }
  const start = () => {
    const mine = ask().finally(() => {
      if (asking === mine) asking = undefined
    })
    asking = mine
    return mine
  }
  return () => {
    if (asking === undefined) return start()
    // The question under way may be older than this reader.
    next ??= asking
      .catch(() => undefined)
      .then(() => {
        next = undefined
        return start()
      })
    return next
  }
}
