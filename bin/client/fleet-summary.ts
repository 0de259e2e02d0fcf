/** The fleet in a few lines: counts, and what is wrong with the command that looks at it. Pure. */
import { findCondition } from '../../controllers/lib/conditions.ts'
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { isParent } from '../../crds/unit-set.ts'

export interface Trouble {
  /** `unit/web.service` */
  readonly object: string
  readonly text: string
  /** The command that says more. */
  readonly look: string
}
export interface FleetSummary {
  readonly server: string
  readonly version: string
  readonly machines: { readonly total: number; readonly ready: number; readonly cordoned: number }
  /** `byState` counts systemd's active states, `not placed` and `inactive by wish`. */
  readonly units: { readonly total: number; readonly byState: Readonly<Record<string, number>> }
  readonly trouble: readonly Trouble[]
}

export function summarize(
  server: string,
  version: string,
  machines: readonly Readonly<Machine>[],
  units: readonly Readonly<Unit>[],
): FleetSummary {
  const byState: Record<string, number> = {}
  for (const unit of units) {
    const state = stateOf(unit)
    byState[state] = (byState[state] ?? 0) + 1
  }
  return {
    server,
    version,
    machines: {
      total: machines.length,
      ready: machines.filter((machine) => readyOf(machine)?.status === 'True').length,
      cordoned: machines.filter(({ spec }) => spec?.unschedulable).length,
    },
    units: { total: units.length, byState },
    trouble: [...machines.flatMap(machineTrouble), ...units.flatMap(unitTrouble)],
  }
}

function readyOf({ status }: Readonly<Machine>) {
  return findCondition(status?.conditions, 'Ready')
}

function stateOf(unit: Readonly<Unit>): string {
  const { spec, status } = unit
  if (spec.desiredState === 'inactive') return 'not wanted'
  if (isParent(unit)) return 'parents'
  if (!spec.machineName) return 'not placed'
  return status?.systemd?.activeState ?? 'not started'
}

function machineTrouble(machine: Readonly<Machine>): Trouble[] {
  const ready = readyOf(machine)
  if (ready?.status === 'True') return []
  const object = `machine/${machine.metadata.name}`
  const text = ready ? `not ready: ${ready.message}` : 'its agent has never reported'
  return [{ object, text, look: `flotilla why ${object}` }]
}

function unitTrouble(unit: Readonly<Unit>): Trouble[] {
  const text = unitProblem(unit)
  const object = `unit/${unit.metadata.name}`
  return text === undefined ? [] : [{ object, text, look: `flotilla why ${object}` }]
}

const WRONG = new Set(['Failed', 'Refused', 'NotSupported', 'MachineLost'])

function unitProblem({ spec, status }: Readonly<Unit>): string | undefined {
  if (spec.desiredState === 'inactive') return undefined
  const scheduled = findCondition(status?.conditions, 'Scheduled')
  if (!spec.machineName && scheduled?.status === 'False') return `not placed: ${scheduled.message}`
  const active = findCondition(status?.conditions, 'Active')
  if (active && WRONG.has(active.reason)) return active.message
  return status?.systemd?.activeState === 'failed' ? 'failed' : undefined
}
