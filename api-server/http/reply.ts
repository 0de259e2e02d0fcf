/** How answers leave: head and body in one write where they are small, in back-pressured pieces where they are not. */
import type { ServerResponse } from 'node:http'
import type { Status } from '../registry/errors.ts'

/** kubectl keeps an HTTP cache on disk; without this it would serve stale discovery from it. */
export const CACHE_CONTROL = 'no-cache, private'
export const JSON_TYPE = 'application/json'

export function sendBytes(
  response: ServerResponse,
  code: number,
  body: Buffer | string,
  headers: Record<string, string | string[]> = {},
): void {
  response.writeHead(code, {
    'content-type': JSON_TYPE,
    'cache-control': CACHE_CONTROL,
    'content-length': Buffer.byteLength(body),
    ...headers,
  })
  response.end(body)
}

export function sendStatus(response: ServerResponse, status: Status): void {
  const code = status.code ?? 200
  const retry = status.details?.retryAfterSeconds
  sendBytes(response, code, JSON.stringify(status), retry === undefined ? {} : { 'retry-after': String(retry) })
}

/** `299 - "unknown field \"spec.bogus\""`, one header a warning. */
export function warningHeaders(warnings: readonly string[]): Record<string, string[]> {
  if (warnings.length === 0) return {}
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a header must not carry what a field's name may hold
  const quote = (text: string) => `"${text.replace(/[\u0000-\u001f\u007f-\uffff]/g, '?').replace(/[\\"]/g, '\\$&')}"`
  const headers: string[] = []
  let bytes = 0
  for (const text of warnings) {
    const header = `299 - ${quote(text.slice(0, MAX_WARNING_LENGTH))}`
    bytes += header.length
    if (bytes > MAX_WARNINGS_BYTES) break
    headers.push(header)
  }
  return { warning: headers }
}

/** Clients refuse an answer whose head is too long; what a body of 3 MiB can be warned of would be. */
const MAX_WARNING_LENGTH = 256
const MAX_WARNINGS_BYTES = 4096

const PIECE_BYTES = 128 * 1024

/** A client that takes nothing for so long is gone. */
const STALLED_MS = 60_000

/** Sends `head`, then the pieces joined by commas, then `tail`, never holding much more than one piece of output. */
export async function sendPieces(
  response: ServerResponse,
  head: string,
  pieces: Iterable<Buffer | string>,
  tail: string,
): Promise<void> {
  let waiting: Uint8Array[] = [Buffer.from(head)]
  let bytes = 0
  let separator: Buffer | undefined
  for (const piece of pieces) {
    if (separator) waiting.push(separator)
    separator = COMMA
    const buffer = typeof piece === 'string' ? Buffer.from(piece) : piece
    waiting.push(buffer)
    bytes += buffer.length
    if (bytes < PIECE_BYTES) continue
    if (!(await writeOut(response, Buffer.concat(waiting)))) return
    waiting = []
    bytes = 0
  }
  waiting.push(Buffer.from(tail))
  const last = Buffer.concat(waiting)
  if (response.headersSent) response.end(last)
  else sendBytes(response, 200, last)
}

const COMMA = Buffer.from(',')

/** False once the client has gone. */
async function writeOut(response: ServerResponse, piece: Buffer): Promise<boolean> {
  if (response.destroyed) return false
  if (!response.headersSent) {
    response.writeHead(200, { 'content-type': JSON_TYPE, 'cache-control': CACHE_CONTROL })
    response.setTimeout(STALLED_MS, () => response.destroy())
  }
  if (!response.write(piece)) await drained(response)
  return !response.destroyed
}

/** Resolves when what was written has left, or never will. */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}
