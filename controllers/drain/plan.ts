/**
 * What leaves its machine now: of a machine that is drained everything that may be moved, of others what was asked for by
 * name. So many at once as the drain says, as the budgets allow, and the next only when the earlier ones are well elsewhere
 * or have visibly no place. Pure and total; nothing is remembered but what the objects say.
 */
import { isDeepStrictEqual } from 'node:util'
import type { PodDisruptionBudget } from '../../crds/core/index.ts'
import { DRAINED, drainTaint, EVICT_FROM, isDraining, MOVED_FROM } from '../../crds/drain.ts'
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { findCondition, type NewCondition } from '../lib/conditions.ts'
import { createBudget } from './budget.ts'
import { elsewhere } from './elsewhere.ts'
import { isAskedFor, leave } from './leave.ts'
import { tell } from './report.ts'
import { isOver } from './sight.ts'

export interface Observed {
  readonly machines: readonly Readonly<Machine>[]
  readonly units: readonly Readonly<Unit>[]
  /** Of namespace default. */
  readonly budgets: readonly Readonly<PodDisruptionBudget>[]
}

export type Mark = typeof EVICT_FROM | typeof MOVED_FROM

export type Action =
  /** In this order, those that others follow first; they go together. */
  | {
      readonly do: 'take-off'
      readonly units: readonly Readonly<Unit>[]
      readonly machine: string
      readonly reason: string
    }
  | { readonly do: 'forget'; readonly unit: Readonly<Unit>; readonly marks: readonly Mark[]; readonly reason: string }
  /** The machine is used again: its drain is over. */
  | { readonly do: 'end'; readonly machine: Readonly<Machine>; readonly reason: string }
  /** Undefined: the condition is taken away. */
  | {
      readonly do: 'report'
      readonly machine: Readonly<Machine>
      readonly condition: NewCondition | undefined
      readonly reason: string
    }

/** Sorted: what goes by machine, then what is said. */
export function plan(observed: Observed): Action[] {
  const byMachine = new Map(observed.machines.map((machine) => [machine.metadata.name, machine]))
  const budget = createBudget(observed.units, observed.budgets)
  const hasPlace = elsewhere(observed)
  const leaves = machinesToLeave(observed).map((name) =>
    leave({ name, machine: byMachine.get(name), units: observed.units, budget, hasPlace }),
  )
  const sights = new Map(leaves.map(({ sight }) => [sight.name, sight]))
  return [
    ...leaves.flatMap(({ name, reason, taken }): Action[] =>
      taken.map((units) => ({ do: 'take-off', units, machine: name, reason })),
    ),
    ...observed.units.flatMap(forget),
    ...observed.machines.filter(isLetBack).map((machine): Action => ({ do: 'end', machine, reason: LET_BACK })),
    ...observed.machines.flatMap((machine) => {
      const sight = sights.get(machine.metadata.name)
      return report(machine, sight && tell(sight))
    }),
  ]
}

const LET_BACK = 'the machine is no longer cordoned'

function isLetBack(machine: Readonly<Machine>): boolean {
  return drainTaint(machine) !== undefined && !isDraining(machine)
}

function machinesToLeave({ machines, units }: Observed): string[] {
  const names = machines.filter(isDraining).map(({ metadata }) => metadata.name)
  const asked = units.filter(isAskedFor).flatMap(({ spec }) => spec.machineName ?? [])
  return [...new Set([...names, ...asked])].toSorted()
}

/** A unit is as new as its object: what is done is taken off it. */
function forget(unit: Readonly<Unit>): Action[] {
  const { metadata, spec } = unit
  const { [EVICT_FROM]: wish, [MOVED_FROM]: trace } = metadata.annotations ?? {}
  if (metadata.deletionTimestamp || (wish === undefined && trace === undefined)) return []
  const marks: Mark[] = []
  if (wish !== undefined && wish !== spec.machineName) marks.push(EVICT_FROM)
  if (trace !== undefined && isOver(unit)) marks.push(MOVED_FROM)
  return marks.length === 0 ? [] : [{ do: 'forget', unit, marks, reason: 'its move is over' }]
}

function report(machine: Readonly<Machine>, wanted: NewCondition | undefined): Action[] {
  const said = findCondition(machine.status?.conditions, DRAINED)
  if (wanted === undefined)
    return said ? [{ do: 'report', machine, condition: undefined, reason: 'it is not being drained' }] : []
  const { generation } = machine.metadata
  const condition = { ...wanted, ...(generation === undefined ? {} : { observedGeneration: generation }) }
  const { lastTransitionTime: _, ...before } = said ?? {}
  return isDeepStrictEqual(before, condition) ? [] : [{ do: 'report', machine, condition, reason: condition.message }]
}
