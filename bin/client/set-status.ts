/** A set in a few lines: how many of it run, how its roll goes, and an instance a line. Pure. */
import { findCondition } from '../../controllers/lib/conditions.ts'
import type { Unit } from '../../crds/unit.ts'
import { isGlobal } from '../../crds/unit-set.ts'
import { holderOf } from './instances.ts'
import { type Paint, printable } from './paint.ts'
import { activeText, isActive, markOf, since } from './unit-status.ts'

/** Those that do not run come first: a long set is looked at because of them. */
const SHOWN = 20

export interface SetView {
  readonly set: Readonly<Unit>
  readonly instances: readonly Readonly<Unit>[]
  readonly isAll: boolean
}

export function isSetWell({ status, spec }: Readonly<Unit>): boolean {
  const { readyReplicas = 0, desiredReplicas = spec.replicas ?? 0 } = status ?? {}
  return readyReplicas >= desiredReplicas
}

export function renderSetStatus({ set, instances, isAll }: SetView, paint: Paint, now: Date): string {
  const tone = isSetWell(set) ? 'good' : 'warn'
  const what = isGlobal(set.spec) ? 'on every machine that matches' : `${set.spec.replicas} replicas`
  const ordered = isAll ? instances : [...instances.filter((unit) => !isActive(unit)), ...instances.filter(isActive)]
  const shown = isAll ? ordered : ordered.slice(0, SHOWN)
  const width = Math.max(0, ...shown.map(({ metadata }) => metadata.name.length))
  const lines = [
    `${paint(tone, '●')} ${paint('bold', set.metadata.name)}: a set, ${what}`,
    `    Desired: ${set.spec.desiredState}`,
    `  Instances: ${paint(tone, counts(set))}`,
    ...rollRow(set),
    ...(shown.length > 0 ? [''] : []),
    ...shown.map((unit) => instanceLine(unit, width, paint, now)),
    ...(shown.length < instances.length ? [`  and ${instances.length - shown.length} more: --all`] : []),
  ]
  return `${lines.join('\n')}\n`
}

function counts({ status, spec }: Readonly<Unit>): string {
  const { replicas = 0, activeReplicas = 0, readyReplicas = 0, updatedReplicas = 0 } = status ?? {}
  const desired = status?.desiredReplicas ?? spec.replicas ?? 0
  const parts = [`${readyReplicas} of ${desired} ready`, `${activeReplicas} active`]
  if (updatedReplicas < desired) parts.push(`${updatedReplicas} with the newest content`)
  if (replicas !== desired) parts.push(`${replicas} there`)
  return parts.join(', ')
}

function rollRow({ status }: Readonly<Unit>): string[] {
  const roll = findCondition(status?.conditions, 'Progressing')
  return roll ? [`       Roll: ${printable(`${roll.reason}: ${roll.message}`)}`] : []
}

function instanceLine(unit: Readonly<Unit>, width: number, paint: Paint, now: Date): string {
  const { tone, mark } = markOf(unit)
  const where = holderOf(unit) ?? 'on no machine'
  const state = `${paint(tone, activeText(unit))}${since(unit, now)}`
  return `  ${paint(tone, mark)} ${unit.metadata.name.padEnd(width)}  ${where}  ${printable(state)}`
}
