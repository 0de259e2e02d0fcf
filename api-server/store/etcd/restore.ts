/**
 * Fills an empty prefix of etcd from a backup of either backend. The file is read to its end first, to know that it is
 * whole before anything is written. A key stands while the restore goes on, and nobody opens the store until it is gone,
 * so one that was killed half way is simply run again.
 *
 * Keys get new revisions. The offset makes every one of them exceed every one of before, also those that were given out
 * after the snapshot was taken and are lost now: who still holds one of these is told that it is not there yet or gone,
 * never something false.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { RestoreOptions } from '../restore.ts'
import { readSnapshot, type SnapshotSummary, type Verified, verifySnapshot } from '../snapshot/file.ts'
import { floorAfter } from '../snapshot/floor.ts'
import { type KeyValue, type Revision, UnavailableError } from '../store.ts'
import { Endpoints } from './endpoints.ts'
import { DEFAULT_PREFIX, type EtcdOptions } from './etcd.ts'
import { type Layout, layoutBelow } from './layout.ts'
import type { EtcdCompare, RequestOp, TxnAnswer } from './messages.ts'
import { absent, beginning, findMeta, putOf } from './meta.ts'

export type RestoreTarget = Pick<EtcdOptions, 'endpoints' | 'tls' | 'prefix' | 'timeouts'>

/** Well below etcd's limits of 128 operations and 1.5 MiB; one value alone may be larger. */
const MAX_BATCH = 100
const MAX_BATCH_BYTES = 512 * 1024

/**
 * Restores `file` below the prefix, where no store may be unless `force` is given. Throws `SnapshotError` when the file is
 * not whole or the secret does not fit, and leaves nothing behind then. Resolves with the revision at which the new store
 * begins.
 */
export async function restoreIntoEtcd(
  file: string,
  target: RestoreTarget,
  options: RestoreOptions = {},
): Promise<SnapshotSummary> {
  const verified = options.verified ?? (await verifySnapshot(file, options))
  const layout = layoutBelow(target.prefix ?? DEFAULT_PREFIX)
  const { endpoints: urls, tls = {}, timeouts } = target
  const endpoints = new Endpoints({ urls, tls, ...(timeouts && { timeouts }) })
  try {
    const earlier = await existing(endpoints, layout, options)
    const began = await begin(endpoints, layout, options)
    await fill(file, { endpoints, layout, began, verified, options })
    await options.onFiles?.(verified.storedFiles)
    const floor = floorAfter(verified, options.nowMs ?? Date.now())
    const least = floor > earlier ? floor : earlier
    const offset = least > began ? least - began : 0n
    const revision = (await finish(endpoints, ours(layout, began), offset, options.signal)) + offset
    return { revision, keys: verified.keys }
  } finally {
    endpoints.close()
  }
}

interface Filling {
  readonly endpoints: Endpoints
  readonly layout: Layout
  readonly began: bigint
  readonly verified: Verified
  readonly options: RestoreOptions
}

async function fill(file: string, { endpoints, layout, began, verified, options }: Filling): Promise<void> {
  let written = 0
  const writer = batchWriter(endpoints, ours(layout, began), options.signal, (count) => {
    written += count
    options.onProgress?.({ written, keys: verified.keys })
  })
  await readSnapshot(file, { onItem: (item) => writer.put(item) }, options)
  await writer.flush()
}

/** Twice what a server on etcd lets pass before it renews its lease. */
const LOOK_MS = 6_500
const LOOK_EVERY_MS = 500

/**
 * The newest revision of the store that stands below the prefix, 0 where there is none. Throws where one may not be
 * replaced: without `force`, and while something writes to it. (A server that is idle now and goes on later notices
 * that its store was replaced, writes nothing and ends.)
 */
async function existing(
  endpoints: Endpoints,
  layout: Layout,
  { force = false, signal }: RestoreOptions,
): Promise<Revision> {
  const found = await findMeta(endpoints, layout, signal)
  if (found === undefined) return 0n
  if (!force)
    throw new Error(
      'this etcd already holds a store below that prefix: restore below another --etcd-prefix, or give --force to replace what is there',
    )
  for (let waitedMs = 0; waitedMs < LOOK_MS; waitedMs += LOOK_EVERY_MS) {
    await delay(LOOK_EVERY_MS, undefined, { signal })
    if ((await findMeta(endpoints, layout, signal))?.revision !== found.revision)
      throw new Error('a server writes to the store in that etcd: stop all servers first, then restore')
  }
  return found.revision
}

/** All of these are as good twice as once: they say what is to be, not what to add. */
async function commit(endpoints: Endpoints, request: object, signal: AbortSignal | undefined): Promise<TxnAnswer> {
  return endpoints.call<TxnAnswer>('KV.Txn', { compare: [], failure: [], ...request }, { repeatable: true, signal })
}

/** etcd's revision once the prefix is empty but for the key that says that a restore goes on. */
async function begin(
  endpoints: Endpoints,
  layout: Layout,
  { force = false, signal }: Pick<RestoreOptions, 'force' | 'signal'>,
): Promise<bigint> {
  const compare = force ? [] : [absent(layout.format)]
  // The format goes first: whoever serves the store that was here learns by it that this is another one now.
  const gone = [layout.format, layout.offset, layout.cluster, layout.head].map((key) => ({ key }))
  const success: RequestOp[] = [
    putOf(layout.restoring, Buffer.from(String(Date.now()))),
    ...[...gone, layout.data].map((range) => ({ request_delete_range: range })),
  ]
  const answer = await commit(endpoints, { compare, success }, signal)
  if (!answer.succeeded) throw new Error('somebody else has begun a store below that prefix meanwhile')
  return BigInt(answer.header?.revision ?? 0)
}

interface Guard {
  readonly layout: Layout
  readonly compare: EtcdCompare
}

/** Holds as long as nobody else restores to the same place. */
function ours(layout: Layout, began: bigint): Guard {
  return { layout, compare: { result: 0, target: 2, key: layout.restoring, mod_revision: String(began) } }
}

function disturbed(): UnavailableError {
  return new UnavailableError('another restore to the same place came between: run it again')
}

function batchWriter(
  endpoints: Endpoints,
  guard: Guard,
  signal: AbortSignal | undefined,
  onBatch: (keys: number) => void,
) {
  let success: RequestOp[] = []
  let bytes = 0

  async function flush(): Promise<void> {
    const due = success
    success = []
    bytes = 0
    if (due.length === 0) return
    const { succeeded } = await commit(endpoints, { compare: [guard.compare], success: due }, signal)
    if (!succeeded) throw disturbed()
    onBatch(due.length)
  }
  return {
    async put({ key, value }: KeyValue): Promise<void> {
      if (success.length >= MAX_BATCH || bytes + value.byteLength > MAX_BATCH_BYTES) await flush()
      success.push(putOf(guard.layout.physical(key), value))
      bytes += value.byteLength + key.length
    },
    flush,
  }
}

async function finish(
  endpoints: Endpoints,
  { layout, compare }: Guard,
  offset: bigint,
  signal: AbortSignal | undefined,
): Promise<bigint> {
  const made = beginning(layout, offset, { timeMs: Date.now(), id: 'restored' })
  const success = [...made, { request_delete_range: { key: layout.restoring } }]
  const answer = await commit(endpoints, { compare: [compare], success }, signal)
  // Where the answer was lost it is asked again, and finds that it is done.
  const found = await findMeta(endpoints, layout, signal)
  if (found === undefined || (!answer.succeeded && found.opened.head.id !== 'restored')) throw disturbed()
  return found.opened.head.revision
}
