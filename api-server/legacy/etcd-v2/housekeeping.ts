/**
 * What time does: keys that end, records that removed directories left behind, and a log that would grow for ever. Any
 * server may do it, all at once too: expiries go through the guarded queue of writes, leftovers are deleted only in the
 * version that was looked at, and deleting a log record twice is deleting it.
 */
import type { Logger } from 'pino'
import type { KeyValue, Store } from '../../store/store.ts'
import { decodeLog, decodeNode, LOG, nodeKey } from './records.ts'
import type { Replica } from './replica.ts'
import type { Writer } from './writer.ts'

export interface LogBounds {
  readonly maxEvents: number
  readonly maxBytes: number
}

/** Far beyond etcd's thousand; a client that slept longer lists anew, as it had to then. */
export const LOG_BOUNDS: LogBounds = { maxEvents: 100_000, maxBytes: 256 * 1024 * 1024 }

const SWEEP_EVERY_MS = 500
const TRIM_EVERY_MS = 5_000
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
    await dropOrphans(store, replica)
    await trimLog(store, replica, bounds)
  }
  const trimming = setInterval(() => {
    tidying ??= tidy()
      .catch((error: unknown) => log.warn({ err: error }, 'etcd v2 leftovers could not be removed'))
      .finally(() => {
        tidying = undefined
      })
  }, TRIM_EVERY_MS)
  return {
    close: async () => {
      clearInterval(expiring)
      clearInterval(trimming)
      await tidying
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

export async function dropOrphans(store: Store, replica: Replica): Promise<void> {
  const { orphans } = replica
  while (orphans.size > 0) {
    const keys = [...orphans].slice(0, MAX_PER_TRANSACTION)
    const found = await Promise.all(keys.map(async (key) => (await store.get(nodeKey(key))).kv))
    const { tree, indexRevision } = replica
    const left = found
      .filter((kv) => kv !== undefined)
      .filter(({ value, modified }) => {
        const { key, created } = decodeNode(value)
        // Of what is newer than the tree, the tree cannot tell whether it is dead.
        return modified <= indexRevision && (tree.get(key)?.created ?? Infinity) > created
      })
    const compare = left.map(({ key, modified }) => ({ key, modified }))
    if (left.length > 0) await store.txn({ compare, operations: left.map(({ key }) => ({ do: 'delete', key })) })
    // A lost compare: somebody wrote one of them again. The next start finds what is still dead.
    for (const key of keys) orphans.delete(key)
  }
}

export async function trimLog(store: Store, replica: Replica, { maxEvents, maxBytes }: LogBounds): Promise<void> {
  for (;;) {
    const { index, logged } = replica.head
    const isOld = ({ value }: KeyValue) => {
      const { offset, entries } = decodeLog(value)
      return (entries.at(-1)?.index ?? 0) <= index - maxEvents || offset < logged - maxBytes
    }
    const [oldest] = (await store.list(LOG, { limit: 1 })).items
    if (oldest === undefined || !isOld(oldest)) return
    const old = (await store.list(LOG, { limit: MAX_PER_TRANSACTION })).items.filter(isOld)
    if (old.length === 0) return
    await store.txn({ compare: [], operations: old.map(({ key }) => ({ do: 'delete', key })) })
    if (old.length < MAX_PER_TRANSACTION) return
  }
}
