/**
 * The snapshot file, which either backend writes and restores. It is read and written as a stream, so its size is not
 * bounded by memory:
 *
 *     magic "flotilla-snapshot\n" · version u32 · revision u64 · keys u64
 *     for each key, in order: created u64 · modified u64 · key length u32 · value length u32 · key · value
 *     sha256 of everything before, 32 bytes
 *
 * All integers are big-endian. The file appears under its name only when it is whole and synced.
 */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { KeyValue, Revision } from './store.ts'
import { syncFolder } from './sync-folder.ts'

const MAGIC = Buffer.from('flotilla-snapshot\n')
const VERSION = 1
const HEADER_BYTES = MAGIC.length + 20
const ITEM_BYTES = 24
const DIGEST_BYTES = 32
const CHUNK_BYTES = 1024 * 1024
/** No honest writer makes longer ones: a length beyond is damage, not a reason to allocate. */
const MAX_KEY = 64 * 1024
const MAX_VALUE = 1024 * 1024 * 1024

export interface SnapshotSummary {
  readonly revision: Revision
  readonly keys: number
}

export interface SnapshotContent extends SnapshotSummary {
  /** Exactly `keys` of them, in key order. Taken piece by piece while the file is written. */
  readonly items: Iterable<KeyValue> | AsyncIterable<KeyValue>
}

/** The file is damaged, cut short, not a snapshot at all, or of a later version than this program knows. */
export class SnapshotError extends Error {}

function headerOf({ revision, keys }: SnapshotSummary): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(header)
  header.writeUInt32BE(VERSION, MAGIC.length)
  header.writeBigUInt64BE(revision, MAGIC.length + 4)
  header.writeBigUInt64BE(BigInt(keys), MAGIC.length + 12)
  return header
}

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

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

async function writeContent(
  file: FileHandle,
  content: SnapshotContent,
  signal: AbortSignal | undefined,
): Promise<void> {
  const hash = createHash('sha256')
  let parts: Uint8Array[] = [headerOf(content)]
  let bytes = HEADER_BYTES
  const flush = async () => {
    const chunk = Buffer.concat(parts, bytes)
    hash.update(chunk)
    await writeAll(file, chunk)
    parts = []
    bytes = 0
  }
  for await (const item of content.items) {
    for (const part of partsOf(item)) {
      parts.push(part)
      bytes += part.byteLength
    }
    if (bytes < CHUNK_BYTES) continue
    signal?.throwIfAborted()
    await flush()
  }
  await flush()
  await writeAll(file, hash.digest())
}

/** Writes `content` to `path` (0600), whole or not at all. */
export async function writeSnapshot(
  path: string,
  content: SnapshotContent,
  signal?: AbortSignal,
): Promise<SnapshotSummary> {
  const unfinished = `${path}.${process.pid}.unfinished`
  try {
    const file = await open(unfinished, 'w', 0o600)
    try {
      await writeContent(file, content, signal)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
  return { revision: content.revision, keys: content.keys }
}

/** Hands out exact numbers of bytes from a stream of chunks and keeps the hash of all that it handed out. */
class Cursor {
  readonly #chunks: AsyncIterator<Buffer>
  readonly #hash: Hash = createHash('sha256')
  #rest: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  async take(length: number): Promise<Buffer> {
    const bytes = await this.#read(length)
    this.#hash.update(bytes)
    return bytes
  }

  async checkDigest(): Promise<void> {
    const expected = this.#hash.digest()
    const found = await this.#read(DIGEST_BYTES)
    if (!found.equals(expected)) throw new SnapshotError('the snapshot is damaged: its checksum does not match')
    if (!(await this.#chunks.next()).done || this.#rest.length > 0)
      throw new SnapshotError('the snapshot has bytes after its end')
  }

  async #read(length: number): Promise<Buffer> {
    const parts = [this.#rest]
    let have = this.#rest.length
    while (have < length) {
      const { done, value } = await this.#chunks.next()
      if (done) throw new SnapshotError('the snapshot is cut short')
      parts.push(value)
      have += value.length
    }
    const all = parts.length === 1 ? this.#rest : Buffer.concat(parts, have)
    this.#rest = all.subarray(length)
    return all.subarray(0, length)
  }
}

async function readHeader(cursor: Cursor): Promise<SnapshotSummary> {
  const magic = await cursor.take(MAGIC.length)
  if (!magic.equals(MAGIC)) throw new SnapshotError('the file is not a Flotilla snapshot')
  const version = (await cursor.take(4)).readUInt32BE(0)
  if (version > VERSION) {
    throw new SnapshotError(
      `the snapshot has format ${version}, this program reads up to ${VERSION}: use a newer Flotilla`,
    )
  }
  const counts = await cursor.take(16)
  return { revision: counts.readBigUInt64BE(0), keys: Number(counts.readBigUInt64BE(8)) }
}

async function readItem(cursor: Cursor): Promise<KeyValue> {
  const head = await cursor.take(ITEM_BYTES)
  const keyLength = head.readUInt32BE(16)
  const valueLength = head.readUInt32BE(20)
  if (keyLength > MAX_KEY || valueLength > MAX_VALUE)
    throw new SnapshotError('the snapshot is damaged: impossible length')
  const key = (await cursor.take(keyLength)).toString()
  // A copy: a slice would keep the whole chunk alive for as long as the value.
  const value = Buffer.from(await cursor.take(valueLength))
  return { key, value, created: head.readBigUInt64BE(0), modified: head.readBigUInt64BE(8) }
}

/**
 * Reads a snapshot, handing each key to `onItem` in order. Throws `SnapshotError` for a file that is not whole; that is
 * known only at the end, so a restore must not take effect before this returns.
 */
export async function readSnapshot(
  path: string,
  onItem: (item: KeyValue) => void | Promise<void>,
  signal?: AbortSignal,
): Promise<SnapshotSummary> {
  const stream = createReadStream(path, { highWaterMark: CHUNK_BYTES })
  try {
    const cursor = new Cursor(stream)
    const summary = await readHeader(cursor)
    for (let i = 0; i < summary.keys; i++) {
      signal?.throwIfAborted()
      await onItem(await readItem(cursor))
    }
    await cursor.checkDigest()
    return summary
  } finally {
    stream.destroy()
  }
}
