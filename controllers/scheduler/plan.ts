/**
 * Where units go: to a machine that no rule refuses (`rules/`), the least loaded of them. Pure and deterministic; every
 * placement counts for the next one of the same round. What is placed stays until a rule that keeps it there is broken.
 */
import type { Unit } from '../../crds/unit.ts'
import { isTemplate } from '../../crds/unit-name.ts'
import { isBoundByOwner, isParent } from '../../crds/unit-set.ts'
import { findCondition, type NewCondition, saysAlready } from '../lib/conditions.ts'
import { notActedOn } from './not-acted-on.ts'
import { type Observed, worldOf } from './observed.ts'
import { placeAll } from './place.ts'

export type { Observed } from './observed.ts'

interface About {
  readonly unit: Readonly<Unit>
  readonly reason: string
}
export type Action =
  | (About & {
      readonly do: 'bind' | 'unbind'
      readonly machine: string
      /** The machine it is taken off and why, where that was not asked for. */
      readonly moved?: { readonly from: string; readonly because: string }
    })
  | (About & { readonly do: 'explain'; readonly conditions: readonly NewCondition[] })

/** At most one action a unit, sorted by unit name. Units that need nothing do not appear. */
export function plan(observed: Observed): Action[] {
  const free = observed.units.filter(({ metadata }) => !observed.assumed.has(metadata.name))
  const needs = new Map(free.map((unit) => [unit, needOf(unit)]))
  const wanting = (need: Need | undefined) => free.filter((unit) => needs.get(unit) === need)
  const pending = wanting('place')
  const placed = free.filter((unit) => isHeldToRules(unit))
  const world = worldOf(observed)
  const decisions = placeAll({ pending, placed, world })
  const decided = new Set(decisions.map(({ unit }) => unit))
  return [
    ...decisions.flatMap((decision) =>
      decision.do === 'wait' ? (explain(decision.unit, decision.condition) ?? []) : decision,
    ),
    ...wanting('unbind').map(unbind),
    ...wanting('explain').flatMap((unit) => (decided.has(unit) ? [] : (explain(unit) ?? []))),
  ].sort((a, b) => (a.unit.metadata.name < b.unit.metadata.name ? -1 : 1))
}

type Need = 'place' | 'unbind' | 'explain'

/** What a unit needs from the scheduler by itself; undefined: nothing. Cheap: asked for every change of every unit. */
export function needOf(unit: Readonly<Unit>): Need | undefined {
  const { metadata, spec, status } = unit
  if (metadata.deletionTimestamp) return undefined
  if (!isBoundByOwner(unit)) {
    const isWanted = spec.desiredState !== 'inactive' && !isParent(unit)
    if (!isWanted && spec.machineName) return 'unbind'
    if (spec.desiredState === 'inactive') return undefined
    if (isWanted && !spec.machineName && !isTemplate(spec.unitName ?? metadata.name)) return 'place'
  }
  const supported = findCondition(status?.conditions, SUPPORTED)?.status
  return (supported === 'False') === notActedOn(spec).length > 0 ? undefined : 'explain'
}

/** Its binding is ours to change. A child that its owner has bound (Global, D1) is the owner's. */
function isHeldToRules(unit: Readonly<Unit>): boolean {
  const { metadata, spec } = unit
  if (metadata.deletionTimestamp || spec.desiredState === 'inactive' || !spec.machineName) return false
  return !isBoundByOwner(unit) && !isParent(unit)
}

function unbind(unit: Readonly<Unit>): Action {
  const reason = isParent(unit) ? 'its instances are placed, not it' : 'desiredState is inactive'
  return { do: 'unbind', unit, machine: unit.spec.machineName ?? '', reason }
}

export { SCHEDULED } from './reasons.ts'
/** False: the unit asks for something that nobody acts on yet; the message names the fields. */
export const SUPPORTED = 'PlacementSupported'

/** The conditions that are not said yet; undefined when all are. */
function explain(unit: Readonly<Unit>, scheduled?: NewCondition): Action | undefined {
  const conditions = [...(scheduled ? [scheduled] : []), ...supportOf(unit)].filter(
    (condition) => !saysAlready(unit.status?.conditions, condition),
  )
  const [first] = conditions
  return first && { do: 'explain', unit, conditions, reason: first.message }
}

function supportOf({ spec, status }: Readonly<Unit>): NewCondition[] {
  const fields = notActedOn(spec)
  if (fields.length > 0) {
    const message = `not acted on yet: ${fields.join(', ')}`
    return [{ type: SUPPORTED, status: 'False', reason: 'NotActedOnYet', message }]
  }
  const said = findCondition(status?.conditions, SUPPORTED)
  return said
    ? [{ type: SUPPORTED, status: 'True', reason: 'ActedOn', message: 'everything asked for is acted on' }]
    : []
}
