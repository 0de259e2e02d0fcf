/** Why a unit is on no machine, machine by machine, and what would change that. Pure: the scheduler's own rules, asked again. */
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { isParent } from '../../crds/unit-set.ts'
import { askOf } from './ask.ts'
import { checksOf, refusals } from './choose.ts'
import { asksNamed, worldOf } from './observed.ts'
import { inOrder } from './order.ts'
import type { Refusal } from './rules/rule.ts'
import { refusedTogether } from './together.ts'

export interface MachineAnswer {
  readonly machine: string
  /** Every rule that refuses it there; empty: nothing does. */
  readonly refusals: readonly Refusal[]
}

export interface Diagnosis {
  /** By name of machine. */
  readonly machines: readonly MachineAnswer[]
  /** The machine where the least has to change; undefined when there is none, or one would take it as it is. */
  readonly smallest: MachineAnswer | undefined
}

/** Undefined when the scheduler would not place it anywhere yet, whatever the machines say. */
export function diagnose(
  unit: Readonly<Unit>,
  machines: readonly Readonly<Machine>[],
  units: readonly Readonly<Unit>[],
): Diagnosis | undefined {
  if (isParent(unit) || unit.spec.desiredState === 'inactive') return undefined
  const others = units.filter(({ metadata }) => metadata.name !== unit.metadata.name)
  const answers = answersOf(unit, machines, [...others, unit])
  const isFree = answers.some((answer) => answer.refusals.length === 0)
  const [smallest] = isFree ? [] : answers.toSorted((a, b) => effort(a) - effort(b))
  return { machines: answers, smallest }
}

function answersOf(
  unit: Readonly<Unit>,
  machines: readonly Readonly<Machine>[],
  units: readonly Readonly<Unit>[],
): MachineAnswer[] {
  const ask = askOf(unit)
  const world = worldOf({ machines, units, assumed: new Map() })
  world.remove(ask)
  const wanted = units.filter(({ spec, metadata }) => spec.desiredState !== 'inactive' && !metadata.deletionTimestamp)
  const group = inOrder([ask], asksNamed(wanted)).find((each) => each.includes(ask)) ?? [ask]
  if (group.length === 1) {
    const checks = checksOf(ask, world)
    return world.hosts.map((host) => ({ machine: host.name, refusals: refusals(checks, host) }))
  }
  // Those it is tied to would be placed anew with it.
  for (const each of group) world.remove(each)
  return world.hosts.map((host) => {
    const found = refusedTogether(ask, group, host, new Map(), world)
    return { machine: host.name, refusals: found ? [found] : [] }
  })
}

/** A machine that does not answer, or another machine-id, is more than a command away. */
const FAR = new Set(['ready', 'machineID', 'resources', 'machineOf'])

function effort({ refusals: found }: MachineAnswer): number {
  return found.reduce((sum, { rule }) => sum + (FAR.has(rule) ? 3 : 1), 0)
}
