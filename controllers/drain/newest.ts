/**
 * Units as the informer has them, or as the answer to our own write said while its event is on the way: without that a
 * second look would count too few as moving, and take too many off.
 */
import type { Unit } from '../../crds/unit.ts'
import type { Informer } from '../lib/informer.ts'

export interface Newest {
  list(): readonly Readonly<Unit>[]
  learn(unit: Readonly<Unit>): void
}

export function createNewest(units: Pick<Informer<Unit>, 'get' | 'list'>): Newest {
  const learned = new Map<string, Readonly<Unit>>()
  const settle = (): void => {
    for (const [name, unit] of learned) {
      const seen = units.get(name)
      // What is gone stays gone: the informer had shown it before it was written.
      if (seen === undefined || version(seen) >= version(unit)) learned.delete(name)
    }
  }
  return {
    list: () => {
      settle()
      const all = units.list()
      return learned.size === 0 ? all : all.map((unit) => learned.get(unit.metadata.name) ?? unit)
    },
    learn: (unit) => void learned.set(unit.metadata.name, unit),
  }
}

/** Revisions are decimal numbers here and in Kubernetes; anything else counts as oldest, so that the informer wins. */
function version({ metadata }: Readonly<Unit>): bigint {
  const text = metadata.resourceVersion ?? ''
  return /^\d+$/.test(text) ? BigInt(text) : -1n
}
