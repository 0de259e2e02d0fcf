/** One unit in the shape of `systemctl status`. */
import { findCondition } from '../../controllers/lib/conditions.ts'
import { age } from '../../crds/age.ts'
import type { Unit } from '../../crds/unit.ts'
import { type Paint, printable, type Tone } from './paint.ts'

export function renderUnitStatus(unit: Readonly<Unit>, paint: Paint, now: Date): string {
  const { metadata, spec, status } = unit
  const { tone, mark } = markOf(unit)
  const machine = status?.machineName || spec.machineName
  const rows: [string, string | undefined][] = [
    ['Desired', spec.desiredState],
    ['Loaded', status?.systemd?.loadState],
    ['Active', paint(tone, activeText(unit)) + since(unit, now)],
    ['Machine', machine ? machine + (status?.machineName ? '' : ' (has not taken it yet)') : 'none'],
    ['Main PID', positive(status?.systemd?.mainPID)],
    ['Restarts', positive(status?.systemd?.restarts)],
    ['Exit', positive(status?.systemd?.exitStatus)],
    ['Instances', instances(unit)],
    ...(status?.conditions ?? []).map(({ type, status: is, reason, message }): [string, string] => [
      type,
      printable(`${is}, ${reason}: ${message}`),
    ]),
  ]
  const width = Math.max(...rows.map(([label]) => label.length))
  const body = rows.flatMap(([label, text]) => (text ? [`  ${label.padStart(width)}: ${text}`] : []))
  return `${[`${paint(tone, mark)} ${paint('bold', metadata.name)}`, ...body].join('\n')}\n`
}

function markOf({ status }: Readonly<Unit>): { readonly tone: Tone | undefined; readonly mark: string } {
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

function activeText({ status }: Readonly<Unit>): string {
  const { activeState, subState, result } = status?.systemd ?? {}
  if (activeState === undefined) return status?.currentState ?? 'unknown'
  const why = result && result !== 'success' ? ` (Result: ${result})` : ''
  return `${activeState} (${subState})${why}`
}

function since({ status }: Readonly<Unit>, now: Date): string {
  const active = findCondition(status?.conditions, 'Active')
  return active ? ` since ${active.lastTransitionTime}; ${age(active.lastTransitionTime, now)} ago` : ''
}

function positive(count: number | undefined): string | undefined {
  return count ? String(count) : undefined
}

function instances({ spec, status }: Readonly<Unit>): string | undefined {
  const desired = status?.desiredReplicas ?? spec.replicas
  return desired === undefined ? undefined : `${status?.readyReplicas ?? 0} of ${desired} run`
}
