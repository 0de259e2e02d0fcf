/**
 * One unit in the shape of `systemctl status`: the machine's own words about it where the machine answers, what the API
 * knows where it does not, and around them what systemd cannot know. Pure.
 */
import { findCondition } from '../../controllers/lib/conditions.ts'
import { age } from '../../crds/age.ts'
import type { Unit } from '../../crds/unit.ts'
import { INSTANCE_OF } from '../../crds/unit-set.ts'
import { type Paint, printable, type Tone } from './paint.ts'

export interface UnitView {
  readonly unit: Readonly<Unit>
  /** What `systemctl status` says on its machine; undefined when it was not asked or did not answer. */
  readonly machineText: string | undefined
}

export function renderUnitStatus({ unit, machineText }: UnitView, paint: Paint, now: Date): string {
  const [head, ...rows] =
    machineText === undefined ? knownRows(unit, now) : machineText.trimEnd().split('\n').map(printable)
  const { tone } = markOf(unit)
  const lines = [
    headLine(head ?? '', unit, paint),
    ...fleetRows(unit),
    ...rows.map((row) => coloured(row, tone, paint)),
    ...conditionRows(unit),
  ]
  return `${lines.join('\n')}\n`
}

/** `systemctl status` exits with 3 for what is not active. */
export function isActive({ status }: Readonly<Unit>): boolean {
  return ['active', 'reloading'].includes(status?.systemd?.activeState ?? '')
}

function headLine(head: string, unit: Readonly<Unit>, paint: Paint): string {
  const { tone, mark } = markOf(unit)
  const title = head.replace(/^\S+ /, '') || unit.metadata.name
  const { name } = unit.metadata
  return `${paint(tone, mark)} ${paint('bold', title)}${title.startsWith(name) ? '' : ` (unit/${name})`}`
}

function fleetRows({ metadata, spec, status }: Readonly<Unit>): string[] {
  const machine = status?.machineName || spec.machineName
  const holds = status?.machineName ? '' : ' (has not taken it yet)'
  const set = metadata.annotations?.[INSTANCE_OF]
  return [
    row('Machine', machine ? `${machine}${holds}` : 'none'),
    row('Desired', `${spec.desiredState}${spec.failover === 'reschedule' ? '' : `, failover ${spec.failover}`}`),
    ...(set === undefined ? [] : [row('Set', set)]),
  ]
}

function row(label: string, text: string): string {
  return `${label.padStart(11)}: ${text}`
}

/** What is known without the machine. */
function knownRows(unit: Readonly<Unit>, now: Date): string[] {
  const { loadState, mainPID = 0, restarts = 0, exitStatus = 0 } = unit.status?.systemd ?? {}
  return [
    `- ${unit.metadata.name}`,
    ...(loadState ? [row('Loaded', loadState)] : []),
    row('Active', activeText(unit) + since(unit, now)),
    ...(mainPID > 0 ? [row('Main PID', String(mainPID))] : []),
    ...(restarts > 0 ? [row('Restarts', String(restarts))] : []),
    ...(exitStatus > 0 ? [row('Exit', String(exitStatus))] : []),
  ]
}

/** Only those that say something is not as it should be, and that the rows above do not say. */
function conditionRows({ status }: Readonly<Unit>): string[] {
  const wrong = (status?.conditions ?? []).filter((each) => each.status === 'False' && !TOLD_ABOVE.has(each.reason))
  return wrong.map(({ type, reason, message }) => row(type, printable(`${reason}: ${message}`)))
}

const TOLD_ABOVE = new Set(['Failed', 'Starting', 'Stopped', 'Completed'])

function coloured(line: string, tone: Tone | undefined, paint: Paint): string {
  return line.replace(/^(\s*Active: )(\S+ \([^)]*\))/, (_, label: string, state: string) => label + paint(tone, state))
}

export function markOf({ status }: Readonly<Unit>): { readonly tone: Tone | undefined; readonly mark: string } {
  switch (status?.systemd?.activeState) {
    case 'active':
    case 'reloading':
      return { tone: 'good', mark: '●' }
    case 'failed':
      return { tone: 'bad', mark: '×' }
    case 'activating':
    case 'deactivating':
      return { tone: 'warn', mark: '●' }
    default:
      return { tone: undefined, mark: '○' }
  }
}

export function activeText({ status }: Readonly<Unit>): string {
  const { activeState, subState, result } = status?.systemd ?? {}
  if (activeState === undefined) return status?.currentState ?? 'inactive'
  const why = result && result !== 'success' ? ` (Result: ${result})` : ''
  return `${activeState} (${subState})${why}`
}

export function since({ status }: Readonly<Unit>, now: Date): string {
  const active = findCondition(status?.conditions, 'Active')
  return active ? ` since ${active.lastTransitionTime}; ${age(active.lastTransitionTime, now)} ago` : ''
}
