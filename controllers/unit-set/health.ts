/** What an instance's status says to a roll. */
import type { Unit } from '../../crds/unit.ts'
import { findCondition } from '../lib/conditions.ts'

/** Active reasons that time does not mend. */
const BROKEN = new Set(['Failed', 'Refused', 'NotSupported'])

/** It does what is asked for, as far as anybody has said; of which spec does not matter. */
export function isUp({ spec, status }: Readonly<Unit>): boolean {
  if (spec.desiredState === 'inactive') return true
  if (spec.desiredState === 'loaded') return status?.currentState === 'loaded'
  const active = findCondition(status?.conditions, 'Active')
  return active?.status === 'True' || (active?.status === 'False' && active.reason === 'Completed')
}

/** What is said is said about the spec of now. */
function isCurrent({ metadata, status }: Readonly<Unit>): boolean {
  const said = findCondition(status?.conditions, 'Active')?.observedGeneration ?? status?.observedGeneration
  return said === metadata.generation
}

/** It does what its present spec asks for. */
export function isSettled(unit: Readonly<Unit>): boolean {
  return unit.spec.desiredState === 'inactive' || (isCurrent(unit) && isUp(unit))
}

/** Why it does not run with its present spec, and will not by waiting; undefined when nothing says so. */
export function failure(unit: Readonly<Unit>): string | undefined {
  const active = findCondition(unit.status?.conditions, 'Active')
  if (unit.spec.desiredState === 'inactive' || active?.status !== 'False' || !isCurrent(unit)) return undefined
  // A service that is started again and again never says failed.
  const isRestarting = unit.status?.systemd?.subState === 'auto-restart'
  return BROKEN.has(active.reason) || isRestarting ? active.message : undefined
}

export function isActive({ status }: Readonly<Unit>): boolean {
  return findCondition(status?.conditions, 'Active')?.status === 'True'
}
