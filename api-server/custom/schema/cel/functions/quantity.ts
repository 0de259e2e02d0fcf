/** Kubernetes' quantity library: exact arithmetic over `100m`, `1.5Gi`, `2e3`. */
import type { Environment } from '@marcbachmann/cel-js'

const SYNC = { async: false }
const SUFFIXES: Readonly<Record<string, readonly [number, number]>> = {
  n: [10, -9],
  u: [10, -6],
  m: [10, -3],
  '': [10, 0],
  k: [10, 3],
  M: [10, 6],
  G: [10, 9],
  T: [10, 12],
  P: [10, 15],
  E: [10, 18],
  Ki: [2, 10],
  Mi: [2, 20],
  Gi: [2, 30],
  Ti: [2, 40],
  Pi: [2, 50],
  Ei: [2, 60],
}
const SYNTAX = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,3}))?$/
/** Nothing longer is a sensible amount of anything. */
const MAX_LENGTH = 100
/** Everything is counted in nanos, the finest that Kubernetes keeps. */
const NANOS = 1_000_000_000n

class Quantity {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

function parse(text: string): Quantity | undefined {
  const found = text.length <= MAX_LENGTH ? SYNTAX.exec(text) : null
  if (!found) return undefined
  const [, sign, digits = '', suffix = '', exponent] = found
  const [whole = '', fraction = ''] = digits.split('.')
  const [base, power] = exponent === undefined ? (SUFFIXES[suffix] ?? [10, 0]) : [10, Number(exponent)]
  const mantissa = BigInt(`${whole}${fraction}` || '0') * NANOS
  const up = base === 2 ? 2n ** BigInt(power) : 10n ** BigInt(Math.max(0, power))
  const down = 10n ** BigInt(fraction.length + (base === 10 ? Math.max(0, -power) : 0))
  // What is finer than a nano is rounded up, away from zero.
  const nanos = (mantissa * up + down - 1n) / down
  return new Quantity(sign === '-' ? -nanos : nanos)
}

function quantity(text: string): Quantity {
  const parsed = parse(text)
  if (!parsed)
    throw new Error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
  return parsed
}

const compare = (a: Quantity, b: Quantity): bigint => (a.nanos < b.nanos ? -1n : a.nanos > b.nanos ? 1n : 0n)

export function registerQuantity(environment: Environment): void {
  const add = (signature: string, handler: (...args: never[]) => unknown) =>
    environment.registerFunction(signature, handler as (...args: unknown[]) => unknown, SYNC)
  environment
    .registerType('Quantity', { ctor: Quantity, fields: {} })
    .registerOperator('Quantity == Quantity: bool', (a: Quantity, b: Quantity) => a.nanos === b.nanos)
  add('quantity(string): Quantity', quantity)
  add('isQuantity(string): bool', (text: string) => parse(text) !== undefined)
  add('Quantity.sign(): int', ({ nanos }: Quantity) => (nanos < 0n ? -1n : nanos > 0n ? 1n : 0n))
  add('Quantity.isInteger(): bool', ({ nanos }: Quantity) => nanos % NANOS === 0n && isInt64(nanos / NANOS))
  add('Quantity.asInteger(): int', asInteger)
  add('Quantity.asApproximateFloat(): double', ({ nanos }: Quantity) => Number(nanos) / 1e9)
  add('Quantity.add(Quantity): Quantity', (a: Quantity, b: Quantity) => new Quantity(a.nanos + b.nanos))
  add('Quantity.add(int): Quantity', (a: Quantity, b: bigint) => new Quantity(a.nanos + b * NANOS))
  add('Quantity.sub(Quantity): Quantity', (a: Quantity, b: Quantity) => new Quantity(a.nanos - b.nanos))
  add('Quantity.sub(int): Quantity', (a: Quantity, b: bigint) => new Quantity(a.nanos - b * NANOS))
  add('Quantity.isLessThan(Quantity): bool', (a: Quantity, b: Quantity) => compare(a, b) < 0n)
  add('Quantity.isGreaterThan(Quantity): bool', (a: Quantity, b: Quantity) => compare(a, b) > 0n)
  add('Quantity.compareTo(Quantity): int', compare)
}

const isInt64 = (value: bigint): boolean => BigInt.asIntN(64, value) === value

function asInteger({ nanos }: Quantity): bigint {
  if (nanos % NANOS !== 0n || !isInt64(nanos / NANOS)) throw new Error('cannot convert value to integer')
  return nanos / NANOS
}
