/**
 * Where units go: to a machine that no rule refuses (`rules/`), the least loaded of them. Pure and deterministic; every
 * placement counts for the next one of the same round. What is placed stays until a rule that keeps it there is broken.
 */
import type { Unit } from '../../crds/unit.ts'
import { isTemplate } from '../../crds/unit-name.ts'
import { findCondition, type NewCondition, saysAlready } from '../lib/conditions.ts'
import { notActedOn } from './not-acted-on.ts'
import { type Observed, worldOf } from './observed.ts'
import { placeAll } from './place.ts'
import { SCHEDULED } from './reasons.ts'

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
  const placeable = pending.filter(({ spec }) => !notActedOn(spec).waits)
  const placed = free.filter((unit) => isHeldToRules(unit))
  const world = worldOf(observed)
  const decisions = placeAll({ pending: placeable, placed, world })
  const decided = new Set(decisions.map(({ unit }) => unit))
  return [
    ...decisions.flatMap((decision) =>
      decision.do === 'wait' ? (explain(decision.unit, decision.condition) ?? []) : decision,
    ),
    ...pending.flatMap((unit) => (notActedOn(unit.spec).waits ? (explain(unit, NOT_PLACED) ?? []) : [])),
    ...wanting('unbind').map(unbind),
    ...wanting('explain').flatMap((unit) => (decided.has(unit) ? [] : (explain(unit) ?? []))),
  ].sort((a, b) => (a.unit.metadata.name < b.unit.metadata.name ? -1 : 1))
}

type Need = 'place' | 'unbind' | 'explain'

/** What a unit needs from the scheduler by itself; undefined: nothing. Cheap: asked for every change of every unit. */
export function needOf({ metadata, spec, status }: Readonly<Unit>): Need | undefined {
  if (metadata.deletionTimestamp) return undefined
  if (spec.desiredState === 'inactive') return spec.machineName ? 'unbind' : undefined
  if (!spec.machineName && !isTemplateOnly(metadata.name, spec)) return 'place'
  const supported = findCondition(status?.conditions, SUPPORTED)?.status
  return (supported === 'False') === notActedOn(spec).fields.length > 0 ? undefined : 'explain'
}

function isTemplateOnly(name: string, spec: Readonly<Unit['spec']>): boolean {
  return isTemplate(spec.unitName ?? name) && spec.replicas === undefined
}

/** Its binding is ours to change. A child that its owner has bound (Global, D1) is the owner's. */
function isHeldToRules({ metadata, spec }: Readonly<Unit>): boolean {
  if (metadata.deletionTimestamp || spec.desiredState === 'inactive' || !spec.machineName) return false
  const isChild = metadata.ownerReferences?.some(({ kind, controller }) => kind === 'Unit' && controller)
  return !(isChild && spec.unitName !== undefined)
}

function unbind(unit: Readonly<Unit>): Action {
  return { do: 'unbind', unit, machine: unit.spec.machineName ?? '', reason: 'desiredState is inactive' }
}

export { SCHEDULED } from './reasons.ts'
/** False: the unit asks for something that nobody acts on yet; the message names the fields. */
export const SUPPORTED = 'PlacementSupported'
const NOT_PLACED: NewCondition = {
  type: SCHEDULED,
  status: 'False',
  reason: 'NotActedOnYet',
  message: 'waits: it asks for placement that is not acted on yet, see the condition PlacementSupported',
}

/** The conditions that are not said yet; undefined when all are. */
function explain(unit: Readonly<Unit>, scheduled?: NewCondition): Action | undefined {
  const conditions = [...(scheduled ? [scheduled] : []), ...supportOf(unit)].filter(
    (condition) => !saysAlready(unit.status?.conditions, condition),
  )
  const [first] = conditions
  return first && { do: 'explain', unit, conditions, reason: first.message }
}

function supportOf({ spec, status }: Readonly<Unit>): NewCondition[] {
  const { fields } = notActedOn(spec)
  if (fields.length > 0) {
    const message = `not acted on yet: ${fields.join(', ')}`
    return [{ type: SUPPORTED, status: 'False', reason: 'NotActedOnYet', message }]
  }
  const said = findCondition(status?.conditions, SUPPORTED)
  return said
    ? [{ type: SUPPORTED, status: 'True', reason: 'ActedOn', message: 'everything asked for is acted on' }]
    : []
}
