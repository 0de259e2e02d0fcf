/** What follows from a machine's silence or removal. Pure; sorted by machine, then unit. */
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { finalizersForBinding, isKeptUntilStopped } from '../../crds/unit-exclusive.ts'
import { isBoundByOwner } from '../../crds/unit-set.ts'
import { findCondition } from '../lib/conditions.ts'
import type { Verdict } from './judge.ts'
import { type Tell, twins } from './twins.ts'

export interface Observed {
  readonly machines: readonly Readonly<Machine>[]
  readonly units: readonly Readonly<Unit>[]
  readonly verdict: Verdict
}

export type Action =
  | Tell
  /** Say Ready=Unknown about the machine. */
  | { readonly do: 'mark'; readonly machine: Readonly<Machine>; readonly reason: string }
  /** Take the unit off the machine, so that the scheduler places it anew. */
  | { readonly do: 'release'; readonly unit: Readonly<Unit>; readonly machine: string; readonly reason: string }
  /** Tell people that a unit stays although its machine is lost. */
  | { readonly do: 'keep'; readonly unit: Readonly<Unit>; readonly machine: string; readonly reason: string }
  /** Say that what its agent said of it, which stays there, is not known to be true any more. */
  | { readonly do: 'doubt'; readonly unit: Readonly<Unit>; readonly machine: string; readonly reason: string }
  /** Let its object live until its holder has stopped it, or no longer. */
  | {
      readonly do: 'guard' | 'unguard'
      readonly unit: Readonly<Unit>
      readonly machine: string
      readonly reason: string
    }

export const READY = 'Ready'
export const LEASE_EXPIRED = 'LeaseExpired'

export function plan({ machines, units, verdict }: Observed): Action[] {
  const known = new Map(machines.map((machine) => [machine.metadata.name, machine]))
  const toMark = new Set(machines.filter((m) => verdict.stale.has(m.metadata.name) && !isMarked(m)).map(nameOf))
  // Only where everybody can see the mark already: the scheduler shares our informer, so it will not bind there again.
  const lost = new Set(machines.filter((m) => verdict.stale.has(m.metadata.name) && isMarked(m)).map(nameOf))
  const marks = machines
    .filter((machine) => toMark.has(nameOf(machine)))
    .map((machine): Action => ({ do: 'mark', machine, reason: 'the machine stopped renewing its lease' }))
  const unitActions = units.flatMap((unit): Action[] => {
    const at = placesOf(unit)
    const gone = at.find((machine) => !known.has(machine))
    if (gone !== undefined) return removed(unit, gone, verdict)
    const expired = at.find((machine) => lost.has(machine))
    if (expired !== undefined && verdict.trusted) return expire(unit, expired)
    return []
  })
  const kept = units.flatMap((unit) => keep(unit, toMark))
  const guards = units.flatMap((unit) => guard(unit) ?? [])
  const actions = [...marks, ...twins(machines), ...unitActions, ...kept, ...guards]
  return actions.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
}

function nameOf({ metadata }: Readonly<Machine>): string {
  return metadata.name
}

/** Where a unit should run and where it is held. */
export function placesOf({ spec, status }: Readonly<Unit>): string[] {
  return [spec.machineName, status?.machineName].flatMap((machine) => machine || [])
}

function isMarked({ status }: Readonly<Machine>): boolean {
  return findCondition(status?.conditions, READY)?.status === 'Unknown'
}

/**
 * Somebody deleted the Machine: that says that it will not come back. It may be alive all the same, so an exclusive unit
 * goes when the machine has stopped it for want of a lease. Nobody else need be heard: a deleted machine cannot renew.
 */
function removed(unit: Readonly<Unit>, machine: string, { stale }: Verdict): Action[] {
  if (isHeldExclusively(unit, machine) && !stale.has(machine)) return []
  return [{ do: 'release', unit, machine, reason: `machine ${machine} does not exist` }]
}

/** A holder of an exclusive unit that has not said that it fences it may go on running it. */
function expire(unit: Readonly<Unit>, machine: string): Action[] {
  const { failover } = unit.spec
  const reason = `machine ${machine} is lost: its lease ran out`
  const stays = failover === 'none' || (failover === 'exclusive' && isUnconfirmed(unit, machine))
  if (!stays) return [{ do: 'release', unit, machine, reason }]
  return isSaidToBeKnown(unit) ? [{ do: 'doubt', unit, machine, reason }] : []
}

/** Its agent says it again when it is back. */
function isSaidToBeKnown({ status }: Readonly<Unit>): boolean {
  return (findCondition(status?.conditions, 'Active')?.status ?? 'Unknown') !== 'Unknown'
}

function isUnconfirmed({ status }: Readonly<Unit>, machine: string): boolean {
  return status?.machineName === machine && status.fencingToken === undefined
}

function isHeldExclusively({ spec, status }: Readonly<Unit>, machine: string): boolean {
  return status?.machineName === machine && (spec.failover === 'exclusive' || status.fencingToken !== undefined)
}

/** Said once, with the mark. An instance of a Global unit belongs to its machine: nobody expects it elsewhere. */
function keep(unit: Readonly<Unit>, marked: ReadonlySet<string>): Action[] {
  const machine = placesOf(unit).find((name) => marked.has(name))
  if (machine === undefined || isBoundByOwner(unit)) return []
  const why = whyKept(unit, machine)
  if (why === undefined) return []
  const { failover } = unit.spec
  return [{ do: 'keep', unit, machine, reason: `machine ${machine} is lost; failover is ${failover}: ${why}` }]
}

function whyKept(unit: Readonly<Unit>, machine: string): string | undefined {
  if (unit.spec.failover === 'none') return 'never moved'
  const isKept = unit.spec.failover === 'exclusive' && isUnconfirmed(unit, machine)
  return isKept ? 'not moved, because the machine never said that it stops the unit by itself' : undefined
}

/** The scheduler binds with the finalizer; who binds by hand does not, and the agent does not claim without it. */
export function guard(unit: Readonly<Unit>): Action | undefined {
  const { metadata, spec, status } = unit
  const machine = spec.machineName ?? ''
  const isGoing = metadata.deletionTimestamp !== undefined
  if (!isKeptUntilStopped(unit)) {
    if (isGoing || placesOf(unit).length === 0 || finalizersForBinding(unit) === undefined) return undefined
    return { do: 'guard', unit, machine, reason: 'it may not vanish while it is held' }
  }
  if (isGoing) return status?.machineName ? undefined : { do: 'unguard', unit, machine, reason: 'nobody holds it' }
  const isFree = spec.failover !== 'exclusive' && status?.fencingToken === undefined
  return isFree ? { do: 'unguard', unit, machine, reason: 'it is not exclusive any more' } : undefined
}

function sortKey(action: Action): string {
  const isAboutMachine = action.do === 'mark' || action.do === 'tell'
  return isAboutMachine ? action.machine.metadata.name : `${action.machine}\0${action.unit.metadata.name}`
}
