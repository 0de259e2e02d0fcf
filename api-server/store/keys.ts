/**
 * Keys order by their UTF-8 bytes. JavaScript orders strings by UTF-16 units, which differs only where a surrogate meets
 * a unit above it, so the plain comparison is right whenever one side has no unit from U+D800 up.
 */
import { MAX_KEY_BYTES, type Range } from './store.ts'

const HIGH_UNIT = /[\ud800-\uffff]/

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Negative, zero or positive as `a` sorts before, equals or sorts after `b`. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0
  if (HIGH_UNIT.test(a) && HIGH_UNIT.test(b)) return compareBytes(a, b)
  return a < b ? -1 : 1
}

/** A test for "lies in the range", made once so that each of very many events costs two string comparisons. */
export function rangeTest({ start, end }: Range): (key: string) => boolean {
  if (!HIGH_UNIT.test(start) && !HIGH_UNIT.test(end)) return (key) => key >= start && key < end
  return (key) => compareKeys(key, start) >= 0 && compareKeys(key, end) < 0
}

/** Why `key` cannot be a key, or undefined when it can. */
export function keyFault(key: string): string | undefined {
  if (key === '') return 'a key must not be empty'
  // Three bytes a unit at most: the short ones need no count.
  if (key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES) {
    return `key longer than ${MAX_KEY_BYTES} bytes: ${key.slice(0, 60)}…`
  }
  if (HIGH_UNIT.test(key) && !isEncodable(key)) return `key is not well-formed Unicode: ${JSON.stringify(key)}`
  return undefined
}

function isEncodable(key: string): boolean {
  return !/\p{Surrogate}/u.test(key) && !key.startsWith('\u{10ffff}')
}
