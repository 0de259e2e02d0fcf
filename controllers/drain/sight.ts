/** What a unit's objects say to a drain. Pure. */
import { MOVED_FROM } from '../../crds/drain.ts'
import type { Unit } from '../../crds/unit.ts'
import { findCondition } from '../lib/conditions.ts'
import { failure, isSettled } from '../unit-set/health.ts'

/** It is where it is to be and does what it is asked for. */
export function isWell(unit: Readonly<Unit>): boolean {
  return isAtHome(unit) && isSettled(unit)
}

/** Its move is over: it does what it is asked for elsewhere, or has failed there and will not by waiting. */
export function isOver(unit: Readonly<Unit>): boolean {
  if (unit.metadata.deletionTimestamp || unit.spec.desiredState === 'inactive') return true
  return isAtHome(unit) && (isSettled(unit) || failure(unit) !== undefined)
}

function isAtHome({ spec, status }: Readonly<Unit>): boolean {
  return Boolean(spec.machineName) && status?.machineName === spec.machineName
}

/** What the scheduler says of it as it is now: no machine takes it. */
export function noPlace({ metadata, spec, status }: Readonly<Unit>): string | undefined {
  if (spec.machineName || status?.machineName) return undefined
  const scheduled = findCondition(status?.conditions, 'Scheduled')
  if (scheduled?.status !== 'False' || scheduled.observedGeneration !== metadata.generation) return undefined
  return scheduled.message
}

/** It is on its way from that machine to another. */
export function isUnderWay(unit: Readonly<Unit>, from: string): boolean {
  return unit.metadata.annotations?.[MOVED_FROM] === from && !isOver(unit) && noPlace(unit) === undefined
}
