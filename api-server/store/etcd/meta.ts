/** What the store keeps about itself, and its beginning: made by whichever server comes first. */
import { randomUUID } from 'node:crypto'
import { ReplacedError, type Revision } from '../store.ts'
import type { Endpoints } from './endpoints.ts'
import { type Counting, countingFrom, decodeHead, encodeHead, FORMAT, type Head, type Layout } from './layout.ts'
import type { EtcdCompare, EtcdKeyValue, RangeAnswer, RequestOp, TxnAnswer } from './messages.ts'

export interface Opened {
  readonly counting: Counting
  /** Oldest revision of the seam that can be read. */
  readonly begin: bigint
  readonly clusterName: string
  readonly head: HeadAt
}

/** The newest transaction of this store. */
export interface HeadAt extends Head {
  /** etcd's revision of it, and etcd's newest when it was read: nothing of this store happened in between. */
  readonly revision: bigint
  readonly readAt: bigint
}

export const absent = (key: Uint8Array): EtcdCompare => ({ result: 0, target: 0, key, version: 0 })
export const present = (key: Uint8Array): EtcdCompare => ({ result: 1, target: 0, key, version: 0 })
export const readOf = (key: Uint8Array): RequestOp => ({ request_range: { key } })
export const putOf = (key: Uint8Array, value: Uint8Array): RequestOp => ({ request_put: { key, value } })

/** Reads the store's own keys, having made them where there are none. Throws what to do where they cannot be used. */
export async function openMeta(endpoints: Endpoints, layout: Layout, nowMs: number): Promise<Opened> {
  const { format, offset, cluster, head, restoring } = layout
  const first: Head = { timeMs: nowMs, id: 'begin' }
  const reads = [format, offset, cluster, head, restoring].map(readOf)
  // Twice is as good as once: the second time the format is there.
  const options = { repeatable: true }
  const look = () => endpoints.call<TxnAnswer>('KV.Txn', { compare: [], success: reads, failure: [] }, options)
  // Looked at first: an etcd that is full refuses what could write, and a store that is there can still be read.
  const found = await look()
  if (found.responses.some((each) => firstOf(each) !== undefined)) return read(found)
  const compare = [absent(format), absent(restoring)]
  const begin = { compare, success: beginning(layout, 0n, first), failure: [] }
  await endpoints.call<TxnAnswer>('KV.Txn', begin, options)
  const answer = await look()
  return read(answer)
}

/** The same without beginning a store, for who wants one that is there; undefined where there is none. */
export async function findMeta(
  endpoints: Endpoints,
  layout: Layout,
  signal?: AbortSignal,
): Promise<{ readonly opened: Opened; readonly revision: Revision } | undefined> {
  const { format, offset, cluster, head } = layout
  // A restore that was broken off left no store.
  const success = [format, offset, cluster, head].map(readOf)
  const answer = await endpoints.call<TxnAnswer>(
    'KV.Txn',
    { compare: [present(format)], success, failure: [] },
    { repeatable: true, signal },
  )
  if (!answer.succeeded) return undefined
  const opened = read(answer)
  return { opened, revision: opened.counting.seam(opened.head.revision) }
}

/** What a new store consists of. */
export function beginning({ format, offset, cluster, head }: Layout, count: bigint, first: Head): RequestOp[] {
  return [
    putOf(format, Buffer.from(String(FORMAT))),
    putOf(offset, Buffer.from(String(count))),
    putOf(cluster, Buffer.from(randomUUID())),
    putOf(head, encodeHead(first)),
  ]
}

function read(answer: TxnAnswer): Opened {
  const [format, offset, cluster, head, restoring] = answer.responses.map(firstOf)
  if (restoring !== undefined)
    throw new Error('a restore into this etcd was begun and not finished: run it again, or choose another prefix')
  if (!format || !offset || !head) throw new Error('the keys of the store in etcd are damaged: restore a snapshot')
  checkFormat(format.value)
  const counting = countingFrom(BigInt(offset.value.toString()))
  return {
    counting,
    begin: counting.seam(format.create_revision),
    clusterName: cluster?.value.toString() ?? '',
    head: headAt(head, answer),
  }
}

function checkFormat(value: Buffer): void {
  const format = Number(value.toString())
  if (format === FORMAT) return
  throw new Error(
    format > FORMAT
      ? `the store in etcd was written by a newer Flotilla (format ${format}, this one knows up to ${FORMAT}): start the newer version, or restore a snapshot below another prefix`
      : `the store in etcd has format ${value}, which this Flotilla (format ${FORMAT}) cannot read`,
  )
}

/** Holds as long as the store is the one that was opened, and not one that was restored in its place. */
export function stillThere({ format }: Layout, { counting, begin }: Pick<Opened, 'counting' | 'begin'>): EtcdCompare {
  return { result: 0, target: 1, key: format, create_revision: String(counting.etcd(begin)) }
}

/** What somebody who is told so can only do one thing about. */
export function replaced(): ReplacedError {
  return new ReplacedError('the store in etcd was deleted or restored meanwhile: restart this server')
}

export function firstOf({ response_range }: { readonly response_range?: RangeAnswer }): EtcdKeyValue | undefined {
  return response_range?.kvs[0]
}

/** `kv` is the head as `answer` shows it. Throws UnavailableError where it is gone: somebody has wiped the prefix. */
export function headAt(kv: EtcdKeyValue | undefined, { header }: Pick<RangeAnswer, 'header'>): HeadAt {
  if (kv === undefined) throw replaced()
  return { ...decodeHead(kv.value), revision: BigInt(kv.mod_revision), readAt: BigInt(header?.revision ?? 0) }
}

/** One linearizable read of the head. */
export async function readHead(endpoints: Endpoints, { head }: Layout, signal?: AbortSignal): Promise<HeadAt> {
  const answer = await endpoints.call<RangeAnswer>('KV.Range', { key: head }, { repeatable: true, signal })
  return headAt(answer.kvs[0], answer)
}
