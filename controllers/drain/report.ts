/** How a drain stands, in one condition of bounded length: what is still to go and why, and what stays. Pure. */
import { DRAINED, MOVED_FROM } from '../../crds/drain.ts'
import type { Unit } from '../../crds/unit.ts'
import { isBoundByOwner } from '../../crds/unit-set.ts'
import type { NewCondition } from '../lib/conditions.ts'
import type { Sight } from './leave.ts'
import { noPlace } from './sight.ts'

export function tell(sight: Sight): NewCondition {
  const { name, units, held, underWay } = sight
  const staying = new Set(sight.staying.flatMap((party) => party.units))
  const here = units.filter((unit) => isOn(unit, name))
  const left = here.filter((unit) => !staying.has(unit) && !isBoundByOwner(unit))
  const waiting = new Set(held.flatMap((each) => each.units))
  const moving = [...new Set([...left, ...underWay])].filter((unit) => !waiting.has(unit)).toSorted(byName)
  const homeless = units
    .filter(({ metadata }) => metadata.annotations?.[MOVED_FROM] === name)
    .filter(noPlace)
    .toSorted(byName)
  const globals = here.filter(isBoundByOwner).length
  const parts = [
    left.length === 0 ? 'nothing is left to move' : `${count(left.length)} to go`,
    listed(
      'moving',
      moving.map((unit) => `${unit.metadata.name} (${whereabouts(unit, name)})`),
    ),
    listed(
      'waiting',
      held.map((each) => `${named(each.units)} (${each.why})`),
    ),
    listed(
      'on no machine',
      homeless.map((unit) => `${unit.metadata.name} (${noPlace(unit)})`),
    ),
    listed(
      'staying',
      sight.staying.map((party) => `${named(party.units)} (${party.stays})`),
    ),
    globals === 0 ? '' : `staying: ${count(globals)} of Global ones`,
  ]
  const message = parts.filter(Boolean).join('; ')
  if (left.length === 0) return { type: DRAINED, status: 'True', reason: 'Drained', message }
  return { type: DRAINED, status: 'False', reason: moving.length === 0 ? 'Held' : 'Draining', message }
}

function byName(a: Readonly<Unit>, b: Readonly<Unit>): number {
  return a.metadata.name < b.metadata.name ? -1 : 1
}

function isOn({ spec, status }: Readonly<Unit>, machine: string): boolean {
  return spec.machineName === machine || status?.machineName === machine
}

function whereabouts({ spec, status }: Readonly<Unit>, from: string): string {
  if (spec.machineName === from || status?.machineName === from) return 'stopping'
  return spec.machineName ? `starting on ${spec.machineName}` : 'to be placed'
}

function count(units: number): string {
  return units === 1 ? '1 unit' : `${units} units`
}

const SHOWN = 5
/** A reason that goes on for longer is cut: `flotilla why` has all of it. */
const MAX_LENGTH = 300

function listed(what: string, texts: readonly string[]): string {
  if (texts.length === 0) return ''
  const shown = texts.slice(0, SHOWN).map((text) => (text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text))
  const more = texts.length - shown.length
  return `${what}: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function named(units: readonly Readonly<Unit>[]): string {
  const names = units.slice(0, SHOWN).map(({ metadata }) => metadata.name)
  return `${names.join(' + ')}${units.length > SHOWN ? ` + ${units.length - SHOWN} more` : ''}`
}
