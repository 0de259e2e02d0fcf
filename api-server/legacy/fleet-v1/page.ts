/**
 * Pages of lists (fleet's server setting token_limit, as it is by default). A token is two little-endian 16-bit numbers,
 * limit and page, in base64url; each page is cut from the list as it is when asked for.
 */
import { Refusal } from './refusal.ts'

export const PAGE_LIMIT = 100
const TOKEN_BYTES = 4

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextPageToken: string | undefined
}

/** Throws a 400 for a token that this server has not given out. A list that fills its pages exactly has an empty last one. */
export function pageOf<T>(all: readonly T[], query: URLSearchParams): Page<T> {
  const page = pageNumber(query.getAll('nextPageToken'))
  const start = (page - 1) * PAGE_LIMIT
  if (start >= all.length) return { items: [], nextPageToken: undefined }
  const stop = start + PAGE_LIMIT
  return { items: all.slice(start, stop), nextPageToken: stop <= all.length ? tokenOf(page + 1) : undefined }
}

export function tokenOf(page: number, limit = PAGE_LIMIT): string {
  const bytes = Buffer.alloc(TOKEN_BYTES)
  bytes.writeUInt16LE(limit, 0)
  bytes.writeUInt16LE(page % 0x1_0000, 2)
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

function pageNumber(tokens: readonly string[]): number {
  if (tokens.length > 1) throw new Refusal(400, 'too many values for page token')
  const [token = ''] = tokens
  if (token === '') return 1
  const bytes = decode(token)
  if (bytes.length < TOKEN_BYTES) throw new Refusal(400, 'unexpected EOF')
  if (bytes.readUInt16LE(0) !== PAGE_LIMIT) throw new Refusal(400, `token limit must be ${PAGE_LIMIT}`)
  const page = bytes.readUInt16LE(2)
  if (page === 0) throw new Refusal(400, 'token page must be greater than zero')
  return page
}

/** Go's reader names the byte at which it gave up: the first stray one, or where a group of four is not full. */
function decode(token: string): Buffer {
  const digits = token.replace(/={1,2}$/, '')
  const stray = digits.search(/[^0-9A-Za-z_-]/)
  const isWhole = token.length % 4 === 0
  if (stray >= 0 || !isWhole) {
    const at = stray >= 0 ? stray : token.length - (token.length % 4)
    throw new Refusal(400, `illegal base64 data at input byte ${at}`)
  }
  return Buffer.from(digits, 'base64url')
}
