/** What /v2/stats and /metrics count, under etcd's names. */
import type { Write } from './operations.ts'

const NAMES = [
  'getsSuccess',
  'getsFail',
  'setsSuccess',
  'setsFail',
  'deleteSuccess',
  'deleteFail',
  'updateSuccess',
  'updateFail',
  'createSuccess',
  'createFail',
  'compareAndSwapSuccess',
  'compareAndSwapFail',
  'compareAndDeleteSuccess',
  'compareAndDeleteFail',
  'expireCount',
] as const

export type CounterName = (typeof NAMES)[number]

const OF_WRITE: Readonly<Record<Write['do'], readonly [CounterName, CounterName]>> = {
  set: ['setsSuccess', 'setsFail'],
  create: ['createSuccess', 'createFail'],
  'create-in-order': ['createSuccess', 'createFail'],
  update: ['updateSuccess', 'updateFail'],
  swap: ['compareAndSwapSuccess', 'compareAndSwapFail'],
  delete: ['deleteSuccess', 'deleteFail'],
  'delete-if': ['compareAndDeleteSuccess', 'compareAndDeleteFail'],
}

export interface Counters {
  count(name: CounterName): void
  countWrite(verb: Write['do'], ok: boolean): void
  /** In etcd's order. */
  all(): readonly (readonly [CounterName, number])[]
}

export function createCounters(): Counters {
  const counts = new Map<CounterName, number>(NAMES.map((name) => [name, 0]))
  const count = (name: CounterName) => void counts.set(name, (counts.get(name) ?? 0) + 1)
  return {
    count,
    countWrite: (verb, ok) => count(OF_WRITE[verb][ok ? 0 : 1]),
    all: () => [...counts],
  }
}
