/** Why a machine does or does not take units. Pure. */
import { findCondition } from '../../controllers/lib/conditions.ts'
import { DRAINED, isDraining } from '../../crds/drain.ts'
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import type { Explanation } from './explanation.ts'

export interface MachineSight {
  readonly machine: Readonly<Machine>
  /** Those bound to it. */
  readonly units: readonly Readonly<Unit>[]
}

export function whyMachine({ machine, units }: MachineSight): Explanation {
  const { name } = machine.metadata
  const ready = findCondition(machine.status?.conditions, 'Ready')
  const facts = [...obstacles(machine), ...otherConditions(machine), unitCount(units)]
  if (!ready)
    return {
      verdict: 'is not ready: its agent has never reported',
      tone: 'bad',
      because: facts,
      next: [`see on ${name} whether "flotilla agent" runs and reaches this server`],
    }
  const because = [`${ready.reason}: ${ready.message}`, ...facts]
  if (ready.status === 'True') return { ...availability(machine), because }
  const verdict = ready.status === 'Unknown' ? 'is not heard of any more' : 'is not ready'
  return { verdict, tone: 'bad', because, next: nextFor(name, ready.status) }
}

function availability({ metadata, spec, status }: Readonly<Machine>): Omit<Explanation, 'because'> {
  const uncordon = `flotilla uncordon ${metadata.name}`
  const isDrained = findCondition(status?.conditions, DRAINED)?.status === 'True'
  const drain = isDrained ? 'is ready, and drained' : 'is ready, and being drained'
  if (isDraining({ spec })) return { verdict: drain, tone: 'warn', next: [uncordon] }
  if (spec?.unschedulable) return { verdict: 'is ready, and takes no new units', tone: 'warn', next: [uncordon] }
  const isTainted = spec?.taints?.some(({ effect }) => effect !== 'PreferNoSchedule')
  if (isTainted) return { verdict: 'is ready, and tainted', tone: 'warn', next: ['take spec.taints away to use it'] }
  return { verdict: 'is ready', tone: 'good', next: [] }
}

function nextFor(name: string, status: string): string[] {
  if (status === 'Unknown')
    return [`see whether ${name} is up, whether its agent runs there, and whether it reaches this server`]
  return [`flotilla exec ${name} -- systemctl --failed`, `flotilla get machine ${name} -o yaml`]
}

function obstacles({ spec }: Readonly<Machine>): string[] {
  const taints = (spec?.taints ?? []).map(
    ({ key, value, effect }) => `tainted ${key}${value ? `=${value}` : ''}:${effect}`,
  )
  return [...(spec?.unschedulable ? ['cordoned: spec.unschedulable is true'] : []), ...taints]
}

function otherConditions({ status }: Readonly<Machine>): string[] {
  return (status?.conditions ?? [])
    .filter(({ type, status }) => type !== 'Ready' && (status !== 'True' || type === DRAINED))
    .map(({ type, reason, message }) => `${type}: ${reason}: ${message}`)
}

function unitCount(units: readonly Readonly<Unit>[]): string {
  const active = units.filter(({ status }) => status?.systemd?.activeState === 'active').length
  return units.length === 0
    ? 'no units are placed on it'
    : `${units.length} units are placed on it, ${active} of them active`
}
