/**
 * Where things lie in etcd, below the prefix (`/flotilla` unless told otherwise):
 *
 *     <prefix>/d<key>          a key of the seam: `/flotilla/d/r/core/configmaps/default/a`
 *     <prefix>/head            put by every transaction: `<milliseconds since 1970> <id of the transaction>`
 *     <prefix>/meta/format     version of this layout; its creation is where the store's history begins
 *     <prefix>/meta/offset     added to etcd's revisions; a restore raises it
 *     <prefix>/meta/cluster    name of this store, made once
 *     <prefix>/meta/restoring  stands while a restore is not finished
 *
 * Nobody else may write below the prefix.
 */
import type { KeyValue, Range, Revision } from '../store.ts'
import type { EtcdKeyValue } from './messages.ts'

export const FORMAT = 1

export interface Layout {
  readonly head: Buffer
  readonly format: Buffer
  readonly offset: Buffer
  readonly cluster: Buffer
  readonly restoring: Buffer
  /** Everything of this store. */
  readonly all: { readonly key: Buffer; readonly range_end: Buffer }
  /** What it keeps for others: the keys of the seam. */
  readonly data: { readonly key: Buffer; readonly range_end: Buffer }
  physical(key: string): Buffer
  range(range: Range): { readonly key: Buffer; readonly range_end: Buffer }
  /** The seam's key; undefined for what is the store's own. */
  logical(key: Buffer): string | undefined
}

/** `prefix` begins with a slash and does not end in one. Throws otherwise. */
export function layoutBelow(prefix: string): Layout {
  if (!/^(\/[\x21-\x2e\x30-\x7e]+)+$/.test(prefix)) throw new Error(`"${prefix}" is no prefix: give one like /flotilla`)
  const at = (rest: string) => Buffer.from(`${prefix}${rest}`)
  const data = at('/d')
  const physical = (key: string) => Buffer.concat([data, Buffer.from(key)])
  return {
    head: at('/head'),
    format: at('/meta/format'),
    offset: at('/meta/offset'),
    cluster: at('/meta/cluster'),
    restoring: at('/meta/restoring'),
    all: { key: at('/'), range_end: at('0') },
    data: { key: data, range_end: at('/e') },
    physical,
    range: ({ start, end }) => ({ key: physical(start), range_end: physical(end) }),
    logical: (key) => (key.indexOf(data) === 0 ? key.toString('utf8', data.length) : undefined),
  }
}

/** The head's value. */
export interface Head {
  readonly timeMs: number
  readonly id: string
}

export function encodeHead({ timeMs, id }: Head): Buffer {
  return Buffer.from(`${timeMs} ${id}`)
}

export function decodeHead(value: Uint8Array): Head {
  const [timeMs = '0', id = ''] = Buffer.from(value).toString().split(' ')
  return { timeMs: Number(timeMs), id }
}

/** Revisions of the seam and of etcd: `seam = etcd + offset`. */
export interface Counting {
  readonly offset: bigint
  seam(etcd: bigint | string): Revision
  /** At least 0; what lies before etcd's own beginning is compacted for everybody who asks. */
  etcd(seam: Revision): bigint
}

export function countingFrom(offset: bigint): Counting {
  return {
    offset,
    seam: (etcd) => BigInt(etcd) + offset,
    etcd: (seam) => (seam > offset ? seam - offset : 0n),
  }
}

/** `kv` as the seam knows it. The value shares the bytes of the answer that it came in. */
export function keyValueOf(
  key: string,
  { value, create_revision, mod_revision }: EtcdKeyValue,
  counting: Counting,
): KeyValue {
  return { key, value, created: counting.seam(create_revision), modified: counting.seam(mod_revision) }
}
