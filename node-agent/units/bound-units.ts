/**
 * The Unit objects placed on this machine, as new as this process can know them: what the informer has, or the answer
 * to our own write while its event is still on the way. Without the second half every claim would be followed by a
 * round that still sees the unit unclaimed.
 */
import type { Unit } from '../../crds/unit.ts'

export interface BoundUnits {
  list(): readonly Readonly<Unit>[]
  get(uid: string): Readonly<Unit> | undefined
  /** Takes in the answer to a write. */
  learn(unit: Readonly<Unit>): void
}

interface Cache {
  list(): readonly Readonly<Unit>[]
}

export function boundUnits(machineName: string, cache: Cache): BoundUnits {
  const learned = new Map<string, Readonly<Unit>>()
  const newest = (cached: Readonly<Unit>): Readonly<Unit> => {
    const uid = uidOf(cached)
    const own = learned.get(uid)
    if (own === undefined) return cached
    if (version(own) > version(cached)) return own
    learned.delete(uid)
    return cached
  }
  const list = (): Readonly<Unit>[] => {
    const cached = cache.list()
    const known = new Set(cached.map(uidOf))
    for (const uid of learned.keys()) if (!known.has(uid)) learned.delete(uid)
    return cached.map(newest).filter((unit) => unit.spec.machineName === machineName)
  }
  return {
    list,
    get: (uid) => list().find((unit) => uidOf(unit) === uid),
    learn: (unit) => void learned.set(uidOf(unit), unit),
  }
}

export function uidOf(unit: Readonly<Unit>): string {
  return unit.metadata.uid ?? ''
}

export function unitNameOf(unit: Readonly<Unit>): string {
  return unit.spec.unitName ?? unit.metadata.name
}

/** Revisions are decimal numbers here and in Kubernetes; anything else counts as oldest, so that the informer wins. */
function version(unit: Readonly<Unit>): bigint {
  const text = unit.metadata.resourceVersion ?? ''
  return /^\d+$/.test(text) ? BigInt(text) : -1n
}
