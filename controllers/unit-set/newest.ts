/**
 * Units as new as this process can know them: what the informer has, or the answer to our own write while its event is
 * on the way. Without the second half a roll could take a second instance before it sees that it has taken one.
 */
import type { Unit } from '../../crds/unit.ts'
import { parentUid } from '../../crds/unit-set.ts'
import type { Clock } from '../lib/clock.ts'

export interface Cache {
  get(name: string): Readonly<Unit> | undefined
  list(): Readonly<Unit>[]
}

export interface Newest {
  get(name: string): Readonly<Unit> | undefined
  childrenOf(uid: string): Readonly<Unit>[]
  /** Whether the informer is behind what was written, for so long as that is worth believing. */
  isBehind(uid: string): boolean
  learn(unit: Readonly<Unit>): void
  /** The informer has news of this name. */
  changed(name: string): void
  /** Begins anew with what the informer has. */
  reset(): void
}

/** An event that did not come by then has passed before the answer did: the object is gone again. */
export const BELIEVED_MS = 5_000

export function createNewest(cache: Cache, clock: Clock): Newest {
  const learned = new Map<string, { readonly unit: Readonly<Unit>; readonly untilMs: number }>()
  const families = createFamilies()
  const get = (name: string): Readonly<Unit> | undefined => {
    const cached = cache.get(name)
    const own = learned.get(name)
    if (own === undefined) return cached
    const isNewer = cached === undefined || version(own.unit) > version(cached)
    if (isNewer && clock.monotonicMs() < own.untilMs) return own.unit
    learned.delete(name)
    families.put(name, cached)
    return cached
  }
  return {
    get,
    childrenOf: (uid) => {
      const units = families.of(uid).flatMap((name) => get(name) ?? [])
      return units.filter((unit) => parentUid(unit) === uid)
    },
    isBehind: (uid) => families.of(uid).some((name) => learned.has(name)),
    learn: (unit) => {
      const { name } = unit.metadata
      const cached = cache.get(name)
      if (cached !== undefined && version(cached) >= version(unit)) return
      learned.set(name, { unit, untilMs: clock.monotonicMs() + BELIEVED_MS })
      families.put(name, unit)
    },
    changed: (name) => {
      // Gone from the informer is gone: it would not have shown it otherwise.
      if (cache.get(name) === undefined) learned.delete(name)
      families.put(name, get(name))
    },
    reset: () => {
      learned.clear()
      families.clear()
      for (const unit of cache.list()) families.put(unit.metadata.name, unit)
    },
  }
}

/** Names of children by their parent's uid. */
function createFamilies() {
  const parents = new Map<string, string>()
  const children = new Map<string, Set<string>>()
  const remove = (name: string): void => {
    const parent = parents.get(name)
    if (parent === undefined) return
    const siblings = children.get(parent)
    siblings?.delete(name)
    if (siblings?.size === 0) children.delete(parent)
    parents.delete(name)
  }
  return {
    of: (uid: string): string[] => [...(children.get(uid) ?? [])],
    put: (name: string, unit: Readonly<Unit> | undefined): void => {
      const parent = unit && parentUid(unit)
      if (parents.get(name) === parent) return
      remove(name)
      if (parent === undefined) return
      parents.set(name, parent)
      children.set(parent, (children.get(parent) ?? new Set()).add(name))
    },
    clear: () => {
      parents.clear()
      children.clear()
    },
  }
}

/** Revisions are decimal numbers here and in Kubernetes; anything else counts as oldest, so that the informer wins. */
function version(unit: Readonly<Unit>): bigint {
  const text = unit.metadata.resourceVersion ?? ''
  return /^\d+$/.test(text) ? BigInt(text) : -1n
}
