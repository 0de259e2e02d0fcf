/**
 * Finding the first past event for a watcher: the newest thousand in memory, older ones in the store's log. `strict`
 * answers as etcd does, whose memory ends after a thousand changes; otherwise everything that was kept is served.
 */
import type { Store } from '../../store/store.ts'
import type { Entry } from './event.ts'
import { type Failure, failure } from './failure.ts'
import { matchesPast } from './matching.ts'
import { decodeEntries, FIRST_INDEX, LOG, logKey } from './records.ts'
import type { Replica } from './replica.ts'

export const WINDOW = 1_000
const PAGE = 32

export interface Search {
  readonly key: string
  readonly recursive: boolean
  readonly index: number
}

/** Called once, when it is sure; what it does in that turn misses no event. */
type Found = (found: Entry | Failure | undefined) => void

export interface History {
  search(search: Search, found: Found): void
}

export function createHistory(store: Store, replica: Replica, strict: boolean): History {
  return {
    search: (search, found) => {
      const { index } = search
      const oldest = Math.max(1, replica.head.index - WINDOW + 1)
      if (strict && index < oldest) found(cleared(oldest, index))
      else if (isInMemory(replica, index)) found(replica.ring.find(search.key, search.recursive, index))
      else
        searchStore(store, replica, search).then(found, (error: unknown) =>
          found(failure(300, error instanceof Error ? error.message : String(error))),
        )
    },
  }
}

function isInMemory({ ring, head }: Replica, index: number): boolean {
  return index > head.index || head.index === FIRST_INDEX || (ring.oldest !== undefined && index >= reach(ring.oldest))
}

/** Nothing precedes the first event. */
function reach(oldest: number): number {
  return oldest === FIRST_INDEX + 1 ? 0 : oldest
}

function cleared(oldest: number, index: number): Failure {
  return failure(401, `the requested history has been cleared [${oldest}/${index}]`)
}

/** Reads on until what is in memory continues what was read: then no event can be missed. */
async function searchStore(store: Store, replica: Replica, search: Search): Promise<Entry | Failure | undefined> {
  const oldest = await oldestKept(store)
  if (oldest > FIRST_INDEX + 1 && search.index < oldest) return cleared(oldest, search.index)
  let from = search.index
  while (!isInMemory(replica, from)) {
    const { items } = await store.list({ start: logKey(from), end: LOG.end }, { limit: PAGE })
    const entries = items.flatMap(({ value }) => decodeEntries(value))
    const found = entries.find((entry) => entry.index >= from && matchesPast(entry, search.key, search.recursive))
    if (found) return found
    const last = entries.at(-1)
    if (last === undefined) break
    from = last.index + 1
  }
  return replica.ring.find(search.key, search.recursive, from)
}

async function oldestKept(store: Store): Promise<number> {
  const { items } = await store.list(LOG, { limit: 1 })
  const [oldest] = items
  return (oldest && decodeEntries(oldest.value)[0]?.index) ?? 0
}
