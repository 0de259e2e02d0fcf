/**
 * What the blocks of a backup hold, one after the other:
 *
 *     for each key, in order: created u64 · modified u64 · key length u32 · value length u32 · key · value
 *     then in the same form, with both revisions 0, each file: its path as the key, its content as the value
 */
import type { KeyValue, Revision } from '../store.ts'
import { Cursor, SnapshotError } from './cursor.ts'

export interface StoredFile {
  /** Relative, with forward slashes. */
  readonly path: string
  readonly content: Uint8Array
}

/** Everything a store holds as of one revision. */
export interface SnapshotContent {
  readonly revision: Revision
  readonly keys: number
  /** Exactly `keys` of them, in key order. */
  readonly items: Iterable<KeyValue> | AsyncIterable<KeyValue>
  /** Lets go of what the items are read from. To be called when they are done with, read or not; twice does no harm. */
  readonly release?: () => void
  /** Name of the store that it comes from, made when that was begun. */
  readonly store?: string
  /** What is kept beside the keys. */
  readonly files?: readonly StoredFile[]
  /** Milliseconds since 1970; now unless given. */
  readonly takenAtMs?: number
}

const ITEM_BYTES = 24
/** No honest writer makes longer ones: a length beyond is damage, not a reason to allocate. */
const MAX_KEY = 64 * 1024
const MAX_VALUE = 1024 * 1024 * 1024

function* partsOf({ key, value, created, modified }: KeyValue): Generator<Uint8Array> {
  const keyBytes = Buffer.from(key)
  const head = Buffer.allocUnsafe(ITEM_BYTES)
  head.writeBigUInt64BE(created, 0)
  head.writeBigUInt64BE(modified, 8)
  head.writeUInt32BE(keyBytes.length, 16)
  head.writeUInt32BE(value.byteLength, 20)
  yield head
  yield keyBytes
  yield value
}

export async function* encodeContent({ items, files = [] }: SnapshotContent): AsyncGenerator<Uint8Array> {
  for await (const item of items) yield* partsOf(item)
  for (const { path, content } of files) yield* partsOf({ key: path, value: content, created: 0n, modified: 0n })
}

/** What `blocks` hold, to their end: the keys in order, then the files with their paths as keys. */
export async function* decodeContent(
  blocks: AsyncIterable<Buffer>,
  { keys, files }: { readonly keys: number; readonly files: number },
): AsyncGenerator<KeyValue> {
  const cursor = new Cursor(blocks)
  for (let i = 0; i < keys + files; i++) yield await readItem(cursor)
  await cursor.end()
}

async function readItem(cursor: Cursor): Promise<KeyValue> {
  const head = await cursor.take(ITEM_BYTES)
  const keyLength = head.readUInt32BE(16)
  const valueLength = head.readUInt32BE(20)
  if (keyLength > MAX_KEY || valueLength > MAX_VALUE)
    throw new SnapshotError('the backup is damaged: impossible length')
  const key = (await cursor.take(keyLength)).toString()
  // A copy: a slice would keep the whole block alive for as long as the value.
  const value = Buffer.from(await cursor.take(valueLength))
  return { key, value, created: head.readBigUInt64BE(0), modified: head.readBigUInt64BE(8) }
}
