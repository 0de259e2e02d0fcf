/**
 * The frame of a backup, read and written as a stream:
 *
 *     magic "flotilla-backup\n" · version u32 · length of the header u32 · header (JSON)
 *     for each block: length u32, its highest bit set in the last one · bytes, at most 1 MiB · seal (seal.ts)
 *     sha256 of everything before, 32 bytes
 *
 * All integers are big-endian. The digest at the end tells damage without a key; the seals tell it block by block, while
 * a stream still comes, and an encrypted file's owner from everybody else.
 */
import { createHash } from 'node:crypto'
import { Cursor, SnapshotError } from './cursor.ts'
import { checksums, encryption, type Seal } from './seal.ts'

/** What stands before the blocks, readable without a key. */
export interface Header {
  /** Of the store; a decimal. */
  readonly revision: string
  readonly keys: number
  /** Files that come after the keys. */
  readonly files: number
  /** Milliseconds since 1970. */
  readonly takenAtMs: number
  /** Name of the store that it comes from. */
  readonly store?: string
  /** Of the key, hexadecimal; absent where the file is not encrypted. */
  readonly salt?: string
}

const MAGIC = Buffer.from('flotilla-backup\n')
const VERSION = 1
const MAX_HEADER_BYTES = 64 * 1024
const BLOCK_BYTES = 1024 * 1024
const LAST = 0x8000_0000
const DIGEST_BYTES = 32

function headOf(header: Header): Buffer {
  const text = Buffer.from(JSON.stringify(header))
  const numbers = Buffer.alloc(8)
  numbers.writeUInt32BE(VERSION)
  numbers.writeUInt32BE(text.length, 4)
  return Buffer.concat([MAGIC, numbers, text])
}

async function sealOf(head: Buffer, { salt }: Header, secret: Uint8Array | undefined): Promise<Seal> {
  if (salt === undefined) return checksums(head)
  if (secret === undefined) throw new SnapshotError('the backup is encrypted: a key is needed to read it')
  return encryption(head, secret, Buffer.from(salt, 'hex'))
}

/** The bytes of a whole file that holds `parts`. `secret` must be given exactly where the header has a salt. */
export async function* closeBlocks(
  header: Header,
  parts: AsyncIterable<Uint8Array>,
  secret?: Uint8Array,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  const hashed = (bytes: Buffer): Buffer => {
    hash.update(bytes)
    return bytes
  }
  const head = headOf(header)
  const seal = await sealOf(head, header, secret)
  yield hashed(head)
  let index = 0
  for await (const { bytes, isLast } of blocksOf(parts)) yield hashed(blockOf(seal, index++, isLast, bytes))
  yield hash.digest()
}

function blockOf(seal: Seal, index: number, isLast: boolean, plain: Buffer): Buffer {
  const closed = seal.close({ index, isLast }, plain)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(isLast ? LAST + plain.length : plain.length)
  return Buffer.concat([length, closed.bytes, closed.seal])
}

/** Cuts a stream of parts into blocks of one size; the last one is shorter, perhaps empty. */
async function* blocksOf(
  parts: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly bytes: Buffer; readonly isLast: boolean }> {
  let waiting: Uint8Array[] = []
  let size = 0
  for await (const part of parts) {
    waiting.push(part)
    size += part.byteLength
    if (size < BLOCK_BYTES) continue
    const all = Buffer.concat(waiting, size)
    let at = 0
    for (; size - at >= BLOCK_BYTES; at += BLOCK_BYTES)
      yield { bytes: all.subarray(at, at + BLOCK_BYTES), isLast: false }
    waiting = at < size ? [all.subarray(at)] : []
    size -= at
  }
  yield { bytes: Buffer.concat(waiting, size), isLast: true }
}

/** Reads the header; `blocks` must be gone through to its end, where the file has proved to be whole. */
export async function openBlocks(
  chunks: AsyncIterable<Uint8Array>,
  secret?: Uint8Array,
): Promise<{ readonly header: Header; readonly blocks: AsyncGenerator<Buffer> }> {
  const hash = createHash('sha256')
  const cursor = new Cursor(chunks, hash)
  const { head, header } = await readHead(cursor)
  const seal = await sealOf(head, header, secret)
  async function* blocks(): AsyncGenerator<Buffer> {
    for (let index = 0, isLast = false; !isLast; index++) {
      const length = (await cursor.take(4)).readUInt32BE()
      isLast = length >= LAST
      yield await readBlock(cursor, seal, { index, isLast }, length % LAST, header)
    }
    const expected = hash.digest()
    if (!(await cursor.takeUnhashed(DIGEST_BYTES)).equals(expected)) throw damaged('its checksum does not match')
    await cursor.end()
  }
  return { header, blocks: blocks() }
}

function damaged(why: string): SnapshotError {
  return new SnapshotError(`the backup is damaged: ${why}`)
}

function foreign(): SnapshotError {
  return new SnapshotError('the file is not a backup made by Flotilla, or its beginning is damaged')
}

async function readBlock(
  cursor: Cursor,
  seal: Seal,
  place: { readonly index: number; readonly isLast: boolean },
  length: number,
  { salt }: Header,
): Promise<Buffer> {
  if (length > BLOCK_BYTES) throw damaged(`block ${place.index} has an impossible length`)
  const bytes = await cursor.take(length)
  const plain = seal.open(place, bytes, await cursor.take(seal.sealBytes))
  if (plain !== undefined) return plain
  if (salt !== undefined) throw new SnapshotError('the key is not the one that the backup was encrypted with')
  throw damaged(`the checksum of block ${place.index} does not match`)
}

async function readHead(cursor: Cursor): Promise<{ readonly head: Buffer; readonly header: Header }> {
  const magic = await cursor.take(MAGIC.length)
  if (!magic.equals(MAGIC)) throw foreign()
  const numbers = await cursor.take(8)
  const version = numbers.readUInt32BE()
  const length = numbers.readUInt32BE(4)
  if (version !== VERSION)
    throw new SnapshotError(
      `the backup has format ${version}, this program reads format ${VERSION}: use a newer Flotilla`,
    )
  if (length > MAX_HEADER_BYTES) throw damaged('its header has an impossible length')
  const text = await cursor.take(length)
  return { head: Buffer.concat([magic, numbers, text]), header: parseHeader(text.toString()) }
}

function parseHeader(text: string): Header {
  try {
    const header = JSON.parse(text) as Header
    BigInt(header.revision)
    if ([header.keys, header.files, header.takenAtMs].every(Number.isSafeInteger)) return header
  } catch {
    // said below
  }
  throw damaged('its header cannot be read')
}

/** Throws where the bytes are not those that were written, whoever may read them. `chunks` are those of a whole file. */
export async function checkDigest(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const hash = createHash('sha256')
  let tail: Buffer = Buffer.alloc(0)
  let isFirst = true
  for await (const chunk of chunks) {
    if (isFirst && !MAGIC.equals(chunk.subarray(0, MAGIC.length))) throw foreign()
    isFirst = false
    const all = Buffer.concat([tail, chunk])
    const keep = Math.max(0, all.length - DIGEST_BYTES)
    hash.update(all.subarray(0, keep))
    tail = all.subarray(keep)
  }
  if (tail.length < DIGEST_BYTES) throw new SnapshotError('the backup is cut short')
  if (!hash.digest().equals(tail))
    throw damaged('its checksum does not match, so it was changed or cut after it was made; take another one')
}
