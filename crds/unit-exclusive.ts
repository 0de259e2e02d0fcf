/** What `failover: exclusive` leaves on a Unit, known to those who bind it, hold it and move it. */
import type { Metadata } from './kind.ts'

/**
 * Keeps the object of an exclusive unit until nobody holds it any more: else one of the same name could be made and
 * started while the old one is still being stopped. It is there before anybody may hold the unit.
 */
export const STOPPED = 'flotilla.dev/stopped'

interface UnitLike {
  readonly metadata: Readonly<Metadata>
  readonly spec: { readonly failover?: string | undefined }
}

export function isKeptUntilStopped({ metadata }: Pick<UnitLike, 'metadata'>): boolean {
  return metadata.finalizers?.includes(STOPPED) === true
}

/** The finalizers that the unit has to have before it is bound; undefined when it has them, or needs none. */
export function finalizersForBinding(unit: UnitLike): readonly string[] | undefined {
  if (unit.spec.failover !== 'exclusive' || isKeptUntilStopped(unit)) return undefined
  return [...(unit.metadata.finalizers ?? []), STOPPED]
}
