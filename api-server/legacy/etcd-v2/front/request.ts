/**
 * The plain requests of which nearly all traffic consists, read without ceremony: whole, with a length, and with no
 * header that changes how HTTP works. This is not a parser of HTTP and need not be: whatever it does not take, for
 * being unusual, cut in two or wrong, is node:http's to read and to refuse (RFC 9112 is followed there).
 */

export interface PlainRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** As it came: path and query. */
  readonly url: string
  readonly contentType: string | undefined
  /** A byte string; '' for none. */
  readonly body: string
}

/** What the headers say. */
interface Head {
  readonly contentType: string | undefined
  readonly contentLength: number
}

export interface Read {
  readonly request: PlainRequest
  /** Where the next one begins. */
  readonly end: number
}

/** Reads the request that begins at `at`; undefined: this one is node:http's. */
export type ReadRequest = (bytes: Buffer, text: string, at: number) => Read | undefined

const LINE = /(GET|PUT|POST|DELETE) (\/[!"$-~]*) HTTP\/1\.1\r\n/y
const HEADER = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\t -~\x80-\xff]*)$/
const LENGTH = /^\d{1,6}$/
/** What is larger than a chunk comes in several of them, which is node:http's. */
const MAX_HEAD_BYTES = 64 * 1024

/**
 * One reader for each connection: clients repeat their headers from request to request, so those of the last one are
 * remembered. `text` is `bytes` as a byte string.
 */
export function createReader(): ReadRequest {
  let block = ''
  let head: Head | undefined
  return (bytes, text, at) => {
    LINE.lastIndex = at
    const line = LINE.exec(text)
    if (line === null) return undefined
    const begin = LINE.lastIndex
    const end = text.indexOf('\r\n\r\n', begin)
    if (end < 0 || end - at > MAX_HEAD_BYTES) return undefined
    if (end - begin !== block.length || !text.startsWith(block, begin)) {
      block = bytes.toString('latin1', begin, end)
      head = readHead(block)
    }
    return head && wholeRequest(bytes, { at, line, body: end + 4 }, head)
  }
}

interface Place {
  readonly at: number
  readonly line: RegExpExecArray
  readonly body: number
}

/** Strings are cut from the bytes, not from their text: those that stay in the tree must not keep a whole chunk alive. */
function wholeRequest(bytes: Buffer, { at, line, body }: Place, { contentType, contentLength }: Head) {
  const [, method = '', url = ''] = line
  const end = body + contentLength
  if (end > bytes.length || !isMethod(method)) return undefined
  if (contentLength > 0 && (method === 'GET' || method === 'DELETE')) return undefined
  const urlAt = at + method.length + 1
  const request: PlainRequest = {
    method,
    url: bytes.toString('latin1', urlAt, urlAt + url.length),
    contentType,
    body: bytes.toString('latin1', body, end),
  }
  return { request, end }
}

function isMethod(method: string): method is PlainRequest['method'] {
  return method === 'GET' || method === 'PUT' || method === 'POST' || method === 'DELETE'
}

/** They change where a message ends, what is answered, or to whom the connection belongs. */
const NOT_PLAIN: ReadonlySet<string> = new Set([
  ...['transfer-encoding', 'expect', 'upgrade', 'te', 'trailer', 'proxy-connection', 'http2-settings'],
])
const ONCE: ReadonlySet<string> = new Set(['host', 'content-length', 'content-type'])

/** Undefined: not plain. */
function readHead(block: string): Head | undefined {
  const once = new Map<string, string>()
  for (const line of block.split('\r\n')) {
    const [, name, spaced = ''] = HEADER.exec(line) ?? []
    if (name === undefined) return undefined
    const key = name.toLowerCase()
    const value = spaced.replace(/[ \t]+$/, '')
    if (NOT_PLAIN.has(key) || once.has(key)) return undefined
    if (key === 'connection' && value.toLowerCase() !== 'keep-alive') return undefined
    if (ONCE.has(key)) once.set(key, value)
  }
  const length = once.get('content-length') ?? '0'
  if (!once.has('host') || !LENGTH.test(length)) return undefined
  return { contentType: once.get('content-type'), contentLength: Number(length) }
}
