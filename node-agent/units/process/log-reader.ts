/** Reads lines out of a log that lies in two files (the current and the one before), by position, following if asked. */
import { open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { JournalOptions } from '../driver.ts'
import type { Segments } from './captured-log.ts'

const CHUNK_BYTES = 64 * 1024
const POLL_MS = 100
const NEWLINE = 10

export interface PositionedLine {
  readonly text: string
  readonly start: number
  /** Position behind the newline: where to go on. */
  readonly end: number
}

/** Without `follow` ends at the end, an unfinished last line included; a line longer than a chunk is cut. */
export async function* readLines(
  segments: () => Segments,
  { lines, follow = false, after, signal }: JournalOptions,
): AsyncGenerator<PositionedLine> {
  let position = after === undefined ? await startOfLast(segments(), lines) : cursorPosition(after)
  while (!signal.aborted) {
    const { start, bytes, isNewest } = await readAt(segments(), position)
    const { found, rest } = splitChunk(bytes, start, bytes.length === CHUNK_BYTES || (follow && isNewest))
    for (const line of found) {
      if (signal.aborted) return
      position = line.end
      yield line
    }
    position = rest
    if (found.length > 0) continue
    if (!follow) return
    await delay(POLL_MS, undefined, { signal }).catch(() => undefined)
  }
}

function cursorPosition(cursor: string): number {
  if (!/^\d{1,15}$/.test(cursor)) throw new Error(`'${cursor}' is not a cursor of this log`)
  return Number(cursor)
}

/** `keepsRest`: an unfinished line is left for the next read, unless it fills the whole chunk. */
function splitChunk(bytes: Buffer, start: number, keepsRest: boolean): { found: PositionedLine[]; rest: number } {
  const found: PositionedLine[] = []
  let from = 0
  for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
    found.push({ text: bytes.toString('utf8', from, to), start: start + from, end: start + to + 1 })
    from = to + 1
  }
  const isLast = from < bytes.length && (!keepsRest || (found.length === 0 && bytes.length === CHUNK_BYTES))
  if (!isLast) return { found, rest: start + from }
  found.push({ text: bytes.toString('utf8', from), start: start + from, end: start + bytes.length })
  return { found, rest: start + bytes.length }
}

interface Chunk {
  readonly start: number
  readonly bytes: Buffer
  /** Nothing follows it yet but what its writer still adds. */
  readonly isNewest: boolean
}

/** What lies at the position; from the oldest byte there is when that part is gone. */
async function readAt({ base, current, previous }: Segments, position: number): Promise<Chunk> {
  if (position < base) {
    const size = await sizeOf(previous)
    const offset = Math.max(0, position - (base - size))
    const bytes = await readBytes(previous, offset)
    if (bytes.length > 0) return { start: base - size + offset, bytes, isNewest: false }
  }
  const start = Math.max(base, position)
  return { start, bytes: await readBytes(current, start - base), isNewest: true }
}

async function startOfLast(segments: Segments, lines: number | undefined): Promise<number> {
  const oldest = segments.base - (await sizeOf(segments.previous))
  if (lines === undefined) return Math.max(0, oldest)
  // The newline that ends the last line does not begin another, hence one more.
  let missing = lines + 1
  for (let end = segments.end; end > oldest; end -= CHUNK_BYTES) {
    const from = Math.max(oldest, end - CHUNK_BYTES)
    const { start, bytes } = await readAt(segments, from)
    const chunk = bytes.subarray(0, end - start)
    for (let at = chunk.lastIndexOf(NEWLINE); at >= 0; at = at === 0 ? -1 : chunk.lastIndexOf(NEWLINE, at - 1)) {
      if (--missing === 0) return start + at + 1
    }
  }
  return Math.max(0, oldest)
}

async function sizeOf(path: string): Promise<number> {
  const file = await openExisting(path)
  if (!file) return 0
  try {
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}

async function readBytes(path: string, offset: number): Promise<Buffer> {
  const file = await openExisting(path)
  if (!file) return Buffer.alloc(0)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, offset)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function openExisting(path: string) {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
