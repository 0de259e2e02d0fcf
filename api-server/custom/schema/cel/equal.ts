/** CEL's `==` over messages, maps and lists; int and double compare by value. */
import { Duration } from '@marcbachmann/cel-js/evaluator'

export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object')
    // biome-ignore lint/suspicious/noDoubleEquals: 1n == 1 is what CEL means by equal numbers
    return isNumber(a) && isNumber(b) && a == b
  if (Array.isArray(a)) return Array.isArray(b) && sameItems(a, b)
  if (a instanceof Map) return b instanceof Map && sameEntries(a, b)
  if (a instanceof Uint8Array) return b instanceof Uint8Array && Buffer.compare(a, b) === 0
  if (a instanceof Date || a instanceof Duration) return a.constructor === b.constructor && a.valueOf() === b.valueOf()
  return false
}

const isNumber = (value: unknown): boolean => typeof value === 'number' || typeof value === 'bigint'

const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => deepEqual(item, b[i]))

function sameEntries(a: ReadonlyMap<unknown, unknown>, b: ReadonlyMap<unknown, unknown>): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) if (!b.has(key) || !deepEqual(value, b.get(key))) return false
  return true
}
