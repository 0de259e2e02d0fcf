/** What follows from a machine's silence or removal. Pure; sorted by machine, then unit. */
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { findCondition } from '../lib/conditions.ts'
import type { Verdict } from './judge.ts'

export interface Observed {
  readonly machines: readonly Readonly<Machine>[]
  readonly units: readonly Readonly<Unit>[]
  readonly verdict: Verdict
}

export type Action =
  /** Say Ready=Unknown about the machine. */
  | { readonly do: 'mark'; readonly machine: Readonly<Machine>; readonly reason: string }
  /** Take the unit off the machine, so that the scheduler places it anew. */
  | { readonly do: 'release'; readonly unit: Readonly<Unit>; readonly machine: string; readonly reason: string }
  /** Tell people that a unit stays although its machine is lost. */
  | { readonly do: 'keep'; readonly unit: Readonly<Unit>; readonly machine: string; readonly reason: string }

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
    if (gone !== undefined) return removed(unit, gone)
    const expired = at.find((machine) => lost.has(machine))
    if (expired !== undefined && verdict.trusted) return expire(unit, expired)
    return []
  })
  const kept = units.flatMap((unit) => keep(unit, toMark))
  return [...marks, ...unitActions, ...kept].toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
}

function nameOf({ metadata }: Readonly<Machine>): string {
  return metadata.name
}

/** Where a unit should run and where it is held. */
function placesOf({ spec, status }: Readonly<Unit>): string[] {
  return [spec.machineName, status?.machineName].flatMap((machine) => machine || [])
}

function isMarked({ status }: Readonly<Machine>): boolean {
  return findCondition(status?.conditions, READY)?.status === 'Unknown'
}

/** Somebody deleted the Machine: that says that it will not come back. An exclusive unit waits for its own issue. */
function removed(unit: Readonly<Unit>, machine: string): Action[] {
  if (unit.spec.failover === 'exclusive') return []
  return [{ do: 'release', unit, machine, reason: `machine ${machine} does not exist` }]
}

function expire(unit: Readonly<Unit>, machine: string): Action[] {
  if (unit.spec.failover !== 'reschedule') return []
  return [{ do: 'release', unit, machine, reason: `machine ${machine} is lost: its lease ran out` }]
}

/** Said once, with the mark. */
function keep(unit: Readonly<Unit>, marked: ReadonlySet<string>): Action[] {
  const machine = placesOf(unit).find((name) => marked.has(name))
  if (machine === undefined || unit.spec.failover === 'reschedule') return []
  const why = unit.spec.failover === 'none' ? 'never moved' : 'not moved: moving exclusive units is not acted on yet'
  return [
    { do: 'keep', unit, machine, reason: `machine ${machine} is lost; failover is ${unit.spec.failover}: ${why}` },
  ]
}

function sortKey(action: Action): string {
  return action.do === 'mark' ? action.machine.metadata.name : `${action.machine}\0${action.unit.metadata.name}`
}
