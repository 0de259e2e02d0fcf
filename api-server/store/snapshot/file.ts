/**
 * Backups as files and as streams: everything of a store as of one revision, whole or not at all. Neither backend's own
 * form shows in it, so either restores what the other has written, and its size is not bounded by memory.
 */
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { KeyValue, Revision } from '../store.ts'
import { syncFolder } from '../sync-folder.ts'
import { checkDigest, closeBlocks, type Header, openBlocks } from './blocks.ts'
import { decodeContent, encodeContent, type SnapshotContent, type StoredFile } from './items.ts'

export { SnapshotError } from './cursor.ts'
export type { SnapshotContent, StoredFile } from './items.ts'

const READ_BYTES = 1024 * 1024
const SALT_BYTES = 32

export interface SnapshotSummary {
  readonly revision: Revision
  readonly keys: number
}

export interface SnapshotInfo extends SnapshotSummary {
  readonly files: number
  /** Milliseconds since 1970. */
  readonly takenAtMs: number
  /** Name of the store that it comes from. */
  readonly store: string | undefined
  readonly isEncrypted: boolean
}

export interface SecretOptions {
  /** What an encrypted backup is locked with: the bytes of a key file, or of a passphrase. */
  readonly secret?: Uint8Array
  readonly signal?: AbortSignal
}

function headerOf(content: SnapshotContent, salt?: Buffer): Header {
  const { revision, keys, files = [], takenAtMs = Date.now(), store } = content
  const counts = { revision: String(revision), keys, files: files.length, takenAtMs }
  return { ...counts, ...(store !== undefined && { store }), ...(salt && { salt: salt.toString('hex') }) }
}

function infoOf({ revision, keys, files, takenAtMs, store, salt }: Header): SnapshotInfo {
  return { revision: BigInt(revision), keys, files, takenAtMs, store, isEncrypted: salt !== undefined }
}

/** `content` as the bytes of a file, block by block, as fast as they are taken; it is released at the end. */
export async function* snapshotBytes(content: SnapshotContent, secret?: Uint8Array): AsyncGenerator<Buffer> {
  const salt = secret === undefined ? undefined : randomBytes(SALT_BYTES)
  try {
    yield* closeBlocks(headerOf(content, salt), encodeContent(content), secret)
  } finally {
    content.release?.()
  }
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

/** Writes `content` to `path` (0600), whole or not at all; encrypted where there is a secret. */
export async function writeSnapshot(
  path: string,
  content: SnapshotContent,
  { secret, signal }: SecretOptions = {},
): Promise<SnapshotSummary> {
  const unfinished = `${path}.${process.pid}.unfinished`
  try {
    const file = await open(unfinished, 'w', 0o600)
    try {
      for await (const bytes of snapshotBytes(content, secret)) {
        signal?.throwIfAborted()
        await writeAll(file, bytes)
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, path)
  } catch (error) {
    content.release?.()
    await rm(unfinished, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
  return { revision: content.revision, keys: content.keys }
}

async function withChunks<T>(path: string, use: (chunks: AsyncIterable<Buffer>) => Promise<T>): Promise<T> {
  const stream = createReadStream(path, { highWaterMark: READ_BYTES })
  try {
    return await use(stream)
  } finally {
    stream.destroy()
  }
}

interface Reader {
  onItem(item: KeyValue): void | Promise<void>
  onFile?(file: StoredFile): void | Promise<void>
}

/**
 * Reads a backup, handing out each key in order and then each file. Throws `SnapshotError` for one that is not whole;
 * of some damage that is known only at the end, so nothing may take effect before this returns.
 */
export function readSnapshot(
  path: string,
  { onItem, onFile }: Reader,
  { secret, signal }: SecretOptions = {},
): Promise<SnapshotInfo> {
  return withChunks(path, async (chunks) => {
    const { header, blocks } = await openBlocks(chunks, secret)
    let left = header.keys
    for await (const item of decodeContent(blocks, header)) {
      signal?.throwIfAborted()
      if (left-- > 0) await onItem(item)
      else await onFile?.({ path: item.key, content: item.value })
    }
    return infoOf(header)
  })
}

export interface Verified extends SnapshotInfo {
  /** The smallest revision at which a key was last changed; the backup's own where it holds no key. */
  readonly oldest: Revision
  readonly storedFiles: readonly StoredFile[]
}

/** Reads all of a backup. Throws `SnapshotError`, in a sentence, unless every byte is as it was written. */
export async function verifySnapshot(path: string, options: SecretOptions = {}): Promise<Verified> {
  await withChunks(path, (chunks) => checkDigest(chunks))
  let oldest: Revision | undefined
  const storedFiles: StoredFile[] = []
  const onItem = ({ modified }: KeyValue) => {
    if (oldest === undefined || modified < oldest) oldest = modified
  }
  const info = await readSnapshot(path, { onItem, onFile: (file) => void storedFiles.push(file) }, options)
  return { ...info, oldest: oldest ?? info.revision, storedFiles }
}

/**
 * A backup without files that comes as a stream, as content to be written on: its items end with an error unless all of
 * it came, and came undamaged.
 */
export async function receiveSnapshot(chunks: AsyncIterable<Uint8Array>): Promise<SnapshotContent> {
  const { header, blocks } = await openBlocks(chunks)
  const { revision, keys, takenAtMs, store } = infoOf(header)
  const from = store === undefined ? {} : { store }
  return { ...from, revision, keys, takenAtMs, items: decodeContent(blocks, { keys, files: 0 }) }
}
