/**
 * The formats that Kubernetes checks in custom resources; any other is a remark and means nothing. All of them look at
 * a bounded piece of text, as the regular expressions of ajv-formats backtrack.
 */
import { isIP } from 'node:net'
import type { Format } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'

/** No value of these formats is longer. */
const MAX_TEXT_LENGTH = 4096

type TextCheck = (text: string) => boolean

/** ajv-formats' own check of a name. */
function stock(name: keyof typeof fullFormats): TextCheck {
  const format = fullFormats[name]
  if (format instanceof RegExp) return (text) => format.test(text)
  const check = typeof format === 'object' ? format.validate : format
  if (typeof check !== 'function') throw new Error(`ajv-formats has no check for ${name}`)
  return (text) => check(text as never) === true
}

const pattern =
  (regex: RegExp): TextCheck =>
  (text) =>
    regex.test(text)

const uuidOf = (version: string): TextCheck =>
  pattern(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i'))

const TEXT_FORMATS: Readonly<Record<string, TextCheck>> = {
  bsonobjectid: pattern(/^[0-9a-f]{24}$/i),
  uri: (text) => text.startsWith('/') || stock('uri')(text),
  email: stock('email'),
  hostname: stock('hostname'),
  ipv4: (text) => isIP(text) === 4,
  ipv6: (text) => isIP(text) === 6,
  cidr: isCidr,
  mac: pattern(/^[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$|^(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}$/i),
  uuid: uuidOf('[0-9a-f]'),
  uuid3: uuidOf('3'),
  uuid4: uuidOf('4'),
  uuid5: uuidOf('5'),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: pattern(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: pattern(/^#?([0-9a-f]{3}|[0-9a-f]{6})$/i),
  rgbcolor: isRgbColor,
  password: () => true,
  date: stock('date'),
  datetime: stock('date-time'),
  duration: (text) => durationNanos(text) !== undefined,
}

/** Base64 may be a megabyte; it is scanned, not matched. */
function isBase64(text: string): boolean {
  if (text.length % 4 !== 0) return false
  const body = text.replace(/={1,2}$/, '')
  return !/[^A-Za-z0-9+/]/.test(body)
}

const INT32 = 2 ** 31

/** All that are known, without dashes. */
export const FORMATS: readonly string[] = [...Object.keys(TEXT_FORMATS), 'byte', 'int32', 'int64']

/** For ajv: `format` as a schema spells it (dashes do not count, as in Kubernetes) → its check. */
export function formatFor(name: string): Format | undefined {
  const plain = name.replaceAll('-', '')
  if (plain === 'int32') return { type: 'number', validate: (n: number) => n >= -INT32 && n < INT32 }
  if (plain === 'int64') return { type: 'number', validate: (n: number) => n >= -(2 ** 63) && n < 2 ** 63 }
  if (plain === 'byte') return { type: 'string', validate: isBase64 }
  const check = Object.hasOwn(TEXT_FORMATS, plain) ? TEXT_FORMATS[plain] : undefined
  return check && { type: 'string', validate: (text: string) => text.length <= MAX_TEXT_LENGTH && check(text) }
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', more] = text.split('/')
  const version = isIP(address)
  return more === undefined && version !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[- ]/g, '')
  if (!/^\d{9}[\dXx]$/.test(digits)) return false
  const sum = [...digits].reduce((total, one, i) => total + (10 - i) * (/x/i.test(one) ? 10 : Number(one)), 0)
  return sum % 11 === 0
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[- ]/g, '')
  if (!/^\d{13}$/.test(digits)) return false
  return [...digits].reduce((total, one, i) => total + (i % 2 === 0 ? 1 : 3) * Number(one), 0) % 10 === 0
}

function isCreditCard(text: string): boolean {
  const digits = text.replace(/[- ]/g, '')
  if (!/^\d{12,19}$/.test(digits)) return false
  const sum = [...digits].reverse().reduce((total, one, i) => {
    const value = Number(one) * (i % 2 === 0 ? 1 : 2)
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return sum % 10 === 0
}

function isRgbColor(text: string): boolean {
  const found = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(text)
  return found?.slice(1).every((one) => Number(one) <= 255) ?? false
}

const NANOS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 }

/** Go's duration (`1h30m`, `-1.5s`) in nanoseconds; undefined when it is none. */
export function durationNanos(text: string): number | undefined {
  if (text === '0') return 0
  const found = /^([+-]?)((?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+)$/.exec(text)
  if (!found?.[2] || text.length > 100) return undefined
  const parts = [...found[2].matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)]
  const nanos = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (NANOS[unit ?? ''] ?? 0), 0)
  return found[1] === '-' ? -nanos : nanos
}
