/** What is said of a unit in its conditions by the scheduler. */
import type { Unit } from '../../crds/unit.ts'
import { findCondition, type NewCondition, saysAlready } from '../lib/conditions.ts'
import { notActedOn } from './not-acted-on.ts'

export { SCHEDULED } from './reasons.ts'
/** False: the unit asks for something that nobody acts on yet; the message names the fields. */
export const SUPPORTED = 'PlacementSupported'

export interface Unsaid {
  readonly conditions: readonly NewCondition[]
  /** All of it is said already, in other words. */
  readonly isRewording: boolean
}

/** What a unit was last seen to say already: most of those that wait are asked about again and again. */
const said = new WeakMap<Readonly<Unit>, NewCondition>()

/** Undefined when everything is said as it is. */
export function unsaid(unit: Readonly<Unit>, scheduled?: NewCondition): Unsaid | undefined {
  if (scheduled && said.get(unit) === scheduled) return undefined
  const news = lookFor(unit, scheduled)
  if (!news && scheduled) said.set(unit, scheduled)
  return news
}

function lookFor(unit: Readonly<Unit>, scheduled: NewCondition | undefined): Unsaid | undefined {
  const before = unit.status?.conditions
  const conditions = [...(scheduled ? [scheduled] : []), ...supportOf(unit)].filter(
    (each) => !saysAlready(before, each),
  )
  if (conditions.length === 0) return undefined
  const isRewording = conditions.every(({ type, status, reason }) => {
    const same = findCondition(before, type)
    return same?.status === status && same.reason === reason
  })
  return { conditions, isRewording }
}

/** Whether PlacementSupported is other than it should be. */
export function isSupportUnsaid({ spec, status }: Readonly<Unit>): boolean {
  const supported = findCondition(status?.conditions, SUPPORTED)?.status
  return (supported === 'False') !== notActedOn(spec).length > 0
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
