/**
 * Fills an empty prefix of etcd from a snapshot file of either backend. The file is read twice: once to know that it is
 * whole, before anything is written. A key stands while the restore goes on, and nobody opens the store until it is gone,
 * so one that was killed half way is simply run again.
 *
 * Keys get new revisions. The offset makes every one of them exceed every one of before, also those that were given out
 * after the snapshot was taken and are lost now: who still holds one of these is told that it is not there yet or gone,
 * never something false.
 */
import { readSnapshot, type SnapshotSummary } from '../snapshot-file.ts'
import { type KeyValue, type Revision, UnavailableError } from '../store.ts'
import { Endpoints } from './endpoints.ts'
import { DEFAULT_PREFIX, type EtcdOptions } from './etcd.ts'
import { type Layout, layoutBelow } from './layout.ts'
import type { RequestOp, TxnAnswer } from './messages.ts'
import { absent, beginning, present, putOf } from './meta.ts'

export type RestoreTarget = Pick<EtcdOptions, 'endpoints' | 'tls' | 'prefix' | 'timeouts'>

/** As etcd's own `--bump-revision` advises: more than can have been written since any useful snapshot. */
export const RESTORE_GAP: Revision = 1_000_000_000n

/** Well below etcd's limits of 128 operations and 1.5 MiB; one value alone may be larger. */
const MAX_BATCH = 100
const MAX_BATCH_BYTES = 512 * 1024

/**
 * Restores `file` below the prefix, where no store may be. Throws `SnapshotError` when it is not a whole snapshot, and
 * leaves nothing behind then.
 */
export async function restoreIntoEtcd(
  file: string,
  target: RestoreTarget,
  signal?: AbortSignal,
): Promise<SnapshotSummary> {
  const { revision } = await readSnapshot(file, () => undefined, signal)
  const layout = layoutBelow(target.prefix ?? DEFAULT_PREFIX)
  const { endpoints: urls, tls = {}, timeouts } = target
  const endpoints = new Endpoints({ urls, tls, ...(timeouts && { timeouts }) })
  try {
    const began = await begin(endpoints, layout, signal)
    const writer = batchWriter(endpoints, layout, signal)
    const summary = await readSnapshot(file, (item) => writer.put(item), signal)
    await writer.flush()
    const offset = revision + RESTORE_GAP > began ? revision + RESTORE_GAP - began : 0n
    await finish(endpoints, layout, offset, signal)
    return summary
  } finally {
    endpoints.close()
  }
}

/** All of these are as good twice as once: they say what is to be, not what to add. */
async function commit(endpoints: Endpoints, request: object, signal: AbortSignal | undefined): Promise<TxnAnswer> {
  return endpoints.call<TxnAnswer>('KV.Txn', { compare: [], failure: [], ...request }, { repeatable: true, signal })
}

/** etcd's revision once the prefix is empty but for the key that says that a restore goes on. */
async function begin(endpoints: Endpoints, layout: Layout, signal: AbortSignal | undefined): Promise<bigint> {
  const compare = [absent(layout.format)]
  const success = [putOf(layout.restoring, Buffer.from(String(Date.now()))), { request_delete_range: layout.data }]
  const answer = await commit(endpoints, { compare, success }, signal)
  if (!answer.succeeded)
    throw new Error('this etcd already holds a store below that prefix: restore below another one, or delete it first')
  return BigInt(answer.header?.revision ?? 0)
}

function batchWriter(endpoints: Endpoints, layout: Layout, signal: AbortSignal | undefined) {
  let success: RequestOp[] = []
  let bytes = 0

  async function flush(): Promise<void> {
    const due = success
    success = []
    bytes = 0
    if (due.length === 0) return
    const { succeeded } = await commit(endpoints, { compare: [present(layout.restoring)], success: due }, signal)
    if (!succeeded) throw new UnavailableError('somebody else ended this restore: run it again')
  }
  return {
    async put({ key, value }: KeyValue): Promise<void> {
      if (success.length >= MAX_BATCH || bytes + value.byteLength > MAX_BATCH_BYTES) await flush()
      success.push(putOf(layout.physical(key), value))
      bytes += value.byteLength + key.length
    },
    flush,
  }
}

async function finish(
  endpoints: Endpoints,
  layout: Layout,
  offset: bigint,
  signal: AbortSignal | undefined,
): Promise<void> {
  const made = beginning(layout, offset, { timeMs: Date.now(), id: 'restored' })
  const success = [...made, { request_delete_range: { key: layout.restoring } }]
  await commit(endpoints, { compare: [present(layout.restoring)], success }, signal)
}
