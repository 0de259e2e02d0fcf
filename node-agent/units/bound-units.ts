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
  /** The informer has news: what was put together before no longer holds. */
  invalidate(): void
}

interface Cache {
  list(): readonly Readonly<Unit>[]
}

export function boundUnits(machineName: string, cache: Cache): BoundUnits {
  const learned = new Map<string, Readonly<Unit>>()
  let current: ReadonlyMap<string, Readonly<Unit>> | undefined
  const newest = (cached: Readonly<Unit>): Readonly<Unit> => {
    const uid = uidOf(cached)
    const own = learned.get(uid)
    if (own === undefined) return cached
    if (version(own) > version(cached)) return own
    learned.delete(uid)
    return cached
  }
  const gather = (): ReadonlyMap<string, Readonly<Unit>> => {
    const cached = new Map(cache.list().map((unit) => [uidOf(unit), unit]))
    for (const uid of learned.keys()) if (!cached.has(uid)) learned.delete(uid)
    for (const [uid, unit] of cached) cached.set(uid, newest(unit))
    for (const [uid, { spec }] of cached) if (spec.machineName !== machineName) cached.delete(uid)
    return cached
  }
  const units = (): ReadonlyMap<string, Readonly<Unit>> => {
    current ??= gather()
    return current
  }
  const invalidate = (): void => {
    current = undefined
  }
  return {
    list: () => [...units().values()],
    get: (uid) => units().get(uid),
    learn: (unit) => {
      learned.set(uidOf(unit), unit)
      invalidate()
    },
    invalidate,
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
