/** Kubernetes' lists and CEL's sets library. */
import type { Environment } from '@marcbachmann/cel-js'
import type { Meter } from '../../meter.ts'
import { deepEqual } from '../equal.ts'

const SYNC = { async: false }
type Ordered = bigint | number | string | boolean | Date
type List = readonly unknown[]

export function registerLists(environment: Environment, meter: Meter): void {
  const add = (signature: string, handler: (...args: never[]) => unknown) =>
    environment.registerFunction(signature, handler as (...args: unknown[]) => unknown, SYNC)
  const has = (list: List, wanted: unknown) => {
    meter.spend(list.length)
    return list.some((item) => deepEqual(item, wanted))
  }
  const contains = (list: List, wanted: List) => wanted.every((one) => has(list, one))
  add('list<A>.isSorted(): bool', isSorted)
  add('list<int>.sum(): int', (list: readonly bigint[]) => inInt64(list.reduce((sum, one) => sum + one, 0n)))
  add('list<double>.sum(): double', (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0))
  add('list<A>.min(): A', (list: readonly Ordered[]) => extreme(list, 'min', (a, b) => a < b))
  add('list<A>.max(): A', (list: readonly Ordered[]) => extreme(list, 'max', (a, b) => a > b))
  add('list<A>.indexOf(A): int', (list: List, wanted: unknown) =>
    BigInt(list.findIndex((one) => deepEqual(one, wanted))),
  )
  add('list<A>.lastIndexOf(A): int', (list: List, wanted: unknown) =>
    BigInt(list.findLastIndex((one) => deepEqual(one, wanted))),
  )
  class Sets {}
  environment.registerType('Sets', Sets).registerConstant('sets', 'Sets', new Sets())
  add('Sets.contains(list<A>, list<A>): bool', (_: unknown, list: List, wanted: List) => contains(list, wanted))
  add('Sets.equivalent(list<A>, list<A>): bool', (_: unknown, a: List, b: List) => contains(a, b) && contains(b, a))
  add('Sets.intersects(list<A>, list<A>): bool', (_: unknown, a: List, b: List) => b.some((one) => has(a, one)))
}

function isSorted(list: readonly Ordered[]): boolean {
  return list.every((item, i) => i === 0 || (list[i - 1] as Ordered) <= item)
}

function extreme(list: readonly Ordered[], name: string, wins: (a: Ordered, b: Ordered) => boolean): Ordered {
  const [first, ...others] = list
  if (first === undefined) throw new Error(`${name} called on empty list`)
  return others.reduce((best, one) => (wins(one, best) ? one : best), first)
}

function inInt64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new Error('integer overflow')
  return value
}
