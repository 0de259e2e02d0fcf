/**
 * What time does: keys that end, nodes that lag behind the log, and a log that would grow for ever. Any server may do
 * it, all at once too: expiries go through the guarded queue of writes, checkpoints have a guard of their own, and
 * deleting a log record twice is deleting it.
 */
import type { Logger } from 'pino'
import type { KeyValue, Store } from '../../store/store.ts'
import { checkpoint } from './checkpoint.ts'
import { decodeLog, LOG } from './records.ts'
import type { Replica } from './replica.ts'
import type { Writer } from './writer.ts'

export interface LogBounds {
  readonly maxEvents: number
  readonly maxBytes: number
}

/** Far beyond etcd's thousand; a client that slept longer lists anew, as it had to then. */
export const LOG_BOUNDS: LogBounds = { maxEvents: 100_000, maxBytes: 256 * 1024 * 1024 }

const SWEEP_EVERY_MS = 500
const TIDY_EVERY_MS = 1_000
const MAX_DUE = 2_000
const MAX_PER_TRANSACTION = 100

export interface Housekeeping {
  close(): Promise<void>
}

export function startHousekeeping(
  store: Store,
  replica: Replica,
  writer: Writer,
  log: Logger,
  bounds: LogBounds,
): Housekeeping {
  const expiring = setInterval(() => expireDue(replica, writer), SWEEP_EVERY_MS)
  let tidying: Promise<void> | undefined
  const tidy = async () => {
    await checkpoint(store, replica)
    await trimLog(store, replica, bounds)
  }
  const tidyingUp = setInterval(() => {
    tidying ??= tidy()
      .catch((error: unknown) => log.warn({ err: error }, 'etcd v2 nodes could not be brought up to date'))
      .finally(() => {
        tidying = undefined
      })
  }, TIDY_EVERY_MS)
  return {
    close: async () => {
      clearInterval(expiring)
      clearInterval(tidyingUp)
      await tidying
      await tidy().catch((error: unknown) => log.warn({ err: error }, 'the next start has more etcd v2 log to read'))
    },
  }
}

function expireDue({ expiries, tree }: Replica, writer: Writer): void {
  const dueBy = Date.now()
  for (const { atMs, key } of expiries.takeDue(dueBy, MAX_DUE)) {
    if (tree.get(key)?.expires !== atMs) continue
    const again = () => expiries.push(atMs, key)
    writer.submit({ do: 'expire', key, dueBy }, (answer) => {
      if (!answer.ok && answer.failure.code === 300) again()
    })
  }
  if (expiries.size > 2 * tree.size + 1_000) expiries.sweep(({ atMs, key }) => tree.get(key)?.expires === atMs)
}

export async function trimLog(store: Store, replica: Replica, { maxEvents, maxBytes }: LogBounds): Promise<void> {
  for (;;) {
    const { index, logged } = replica.head
    const known = replica.checkpoint.index
    const isOld = ({ value }: KeyValue) => {
      const { offset, entries } = decodeLog(value)
      const last = entries.at(-1)?.index ?? 0
      return last <= known && (last <= index - maxEvents || offset < logged - maxBytes)
    }
    const [oldest] = (await store.list(LOG, { limit: 1 })).items
    if (oldest === undefined || !isOld(oldest)) return
    const old = (await store.list(LOG, { limit: MAX_PER_TRANSACTION })).items.filter(isOld)
    if (old.length === 0) return
    await store.txn({ compare: [], operations: old.map(({ key }) => ({ do: 'delete', key })) })
    if (old.length < MAX_PER_TRANSACTION) return
  }
}
