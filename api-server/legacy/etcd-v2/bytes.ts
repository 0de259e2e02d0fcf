/**
 * Keys and values may hold any bytes. Inside this door a string is a "byte string": one character (U+0000 to U+00FF)
 * per byte, so that comparing, sorting and slicing strings does it to bytes, and V8 keeps one byte a character. It is
 * written to sockets and to the store as `latin1`.
 */

/** Printable ASCII without what Go's JSON escapes: `"`, `\`, `<`, `>`, `&`. */
const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/
const BEYOND_ASCII = /[\u0080-\u00ff]/
const ESCAPED = /[^ !#-%'-;=?-[\]-~\u007f-\u00ff]/g

const SHORT: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** The JSON string that Go's encoding/json makes of these bytes, as a byte string. */
export function quote(bytes: string): string {
  if (PLAIN.test(bytes)) return `"${bytes}"`
  const text = BEYOND_ASCII.test(bytes) ? replaceInvalid(bytes) : bytes
  return `"${text.replace(ESCAPED, escapeUnit).replace(/\u00e2\u0080[\u00a8\u00a9]/g, escapeSeparator)}"`
}

function escapeUnit(unit: string): string {
  if (unit === INVALID) return '\\ufffd'
  return SHORT[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** U+2028 and U+2029, which Go escapes because JavaScript once took them for ends of lines. */
function escapeSeparator(bytes: string): string {
  return bytes.endsWith('\u00a8') ? '\\u2028' : '\\u2029'
}

/** No byte string holds it, so it can stand for a byte that is not UTF-8 until it is written. */
const INVALID = '\uffff'

/** Well-formed UTF-8 sequences (RFC 3629, table 3-7 of Unicode), or any one byte. */
const SEQUENCES =
  /[^\x80-\xff]+|[\xc2-\xdf][\x80-\xbf]|(?:\xe0[\xa0-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]|\xed[\x80-\x9f])[\x80-\xbf]|(?:\xf0[\x90-\xbf]|[\xf1-\xf3][\x80-\xbf]|\xf4[\x80-\x8f])[\x80-\xbf]{2}|[\x80-\xff]/g

/** Each byte that is not part of a well-formed sequence becomes the mark that `escapeUnit` writes as `\ufffd`. */
function replaceInvalid(bytes: string): string {
  return bytes.replace(SEQUENCES, (sequence) =>
    sequence.length === 1 && sequence.charCodeAt(0) >= 0x80 ? INVALID : sequence,
  )
}

/** Text, as it stands in our source or comes from an Error, as a byte string. */
export function bytesOfText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** A value for the store. */
export function encodeBytes(bytes: string): Uint8Array {
  return Buffer.from(bytes, 'latin1')
}

export function decodeBytes(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
}
