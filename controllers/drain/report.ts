/** How a drain stands, in one condition of bounded length: what is still to go and why, and what stays. Pure. */
import { DRAINED, MOVED_FROM } from '../../crds/drain.ts'
import type { Unit } from '../../crds/unit.ts'
import { isBoundByOwner } from '../../crds/unit-set.ts'
import type { NewCondition } from '../lib/conditions.ts'
import type { Sight } from './leave.ts'
import { noPlace } from './sight.ts'

/** Undefined: there is nothing to say of a machine that is not drained, and that nobody is to leave. */
export function tell(sight: Sight): NewCondition | undefined {
  const { name, units, held, underWay, isWhole } = sight
  const here = units.filter((unit) => isOn(unit, name))
  const left = leftOf(sight, here)
  if (!isWhole && left.length === 0) return undefined
  const waiting = new Set(held.flatMap((each) => each.units))
  const moving = [...new Set([...left, ...underWay])].filter((unit) => !waiting.has(unit)).toSorted(byName)
  const homeless = units
    .filter(({ metadata }) => metadata.annotations?.[MOVED_FROM] === name)
    .filter(noPlace)
    .toSorted(byName)
  const globals = isWhole ? here.filter(isBoundByOwner).length : 0
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
      (isWhole ? sight.staying : []).map((party) => `${named(party.units)} (${party.stays})`),
    ),
    globals === 0 ? '' : `staying: ${count(globals)} of Global ones`,
  ]
  const message = parts.filter(Boolean).join('; ')
  if (left.length === 0) return { type: DRAINED, status: 'True', reason: 'Drained', message }
  return { type: DRAINED, status: 'False', reason: moving.length === 0 ? 'Held' : 'Draining', message }
}

/** Who is to leave and is there still. */
function leftOf({ isWhole, leaving, underWay, staying }: Sight, here: readonly Readonly<Unit>[]): Readonly<Unit>[] {
  const asked = new Set([...leaving, ...underWay])
  const stay = new Set(staying.flatMap((party) => party.units))
  return here.filter((unit) => (isWhole ? !stay.has(unit) && !isBoundByOwner(unit) : asked.has(unit)))
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
