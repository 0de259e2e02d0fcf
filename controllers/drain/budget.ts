/**
 * How many may be away at once: of a set its `maxUnavailable`, over the whole fleet, and what PodDisruptionBudgets in
 * namespace default allow of the units they select. Pure; what is taken is remembered for the rest of one look.
 */
import { covers, observeBudget } from '../../crds/core/disruption.ts'
import type { PodDisruptionBudget } from '../../crds/core/index.ts'
import type { ApiObject } from '../../crds/kind.ts'
import type { Unit } from '../../crds/unit.ts'
import { isParent, parentUid } from '../../crds/unit-set.ts'
import { findCondition } from '../lib/conditions.ts'
import { PROGRESSING } from '../unit-set/report.ts'
import { maxUnavailableOf } from '../unit-set/roll.ts'
import { isWell } from './sight.ts'

export interface Budget {
  /** Takes what the party needs and returns nothing, or takes nothing and says what is in the way. */
  claim(party: readonly Readonly<Unit>[]): string | undefined
}

interface Purse {
  /** For messages: whose it is and what it allows. */
  readonly label: string
  left: number
}

type PursesOf = (unit: Readonly<Unit>) => readonly Purse[]

export function createBudget(
  units: readonly Readonly<Unit>[],
  budgets: readonly Readonly<PodDisruptionBudget>[],
): Budget {
  let purses: readonly PursesOf[] | undefined
  return {
    claim: (party) => {
      // Counted with the first question: most looks at a drain ask none.
      purses ??= [pursesOfSets(units), pursesOfBudgets(units, budgets)]
      const needs = new Map<Purse, number>()
      // What is down already costs nothing.
      for (const unit of party.filter(isWell))
        for (const purse of purses.flatMap((of) => of(unit))) needs.set(purse, (needs.get(purse) ?? 0) + 1)
      const short = [...needs].find(([purse, need]) => need > purse.left)
      if (short) return short[0].label
      for (const [purse, need] of needs) purse.left -= need
      return undefined
    },
  }
}

function pursesOfSets(units: readonly Readonly<Unit>[]): PursesOf {
  const byUid = new Map(units.map((unit) => [unit.metadata.uid, unit]))
  const children = childrenByUid(units)
  const known = new Map<string, Purse>()
  return (unit) => {
    const uid = parentUid(unit)
    const parent = uid === undefined ? undefined : byUid.get(uid)
    if (uid === undefined || parent === undefined) return []
    const purse = known.get(uid) ?? purseOfSet(parent, children.get(uid) ?? [])
    known.set(uid, purse)
    return [purse]
  }
}

function childrenByUid(units: readonly Readonly<Unit>[]): ReadonlyMap<string, readonly Readonly<Unit>[]> {
  const children = new Map<string, Readonly<Unit>[]>()
  for (const unit of units) {
    const uid = parentUid(unit)
    if (uid === undefined) continue
    const siblings = children.get(uid)
    if (siblings) siblings.push(unit)
    else children.set(uid, [unit])
  }
  return children
}

function purseOfSet(parent: Readonly<Unit>, children: readonly Readonly<Unit>[]): Purse {
  const { name } = parent.metadata
  // The roll takes its instances by what it sees, and this by what it does: they would take one each at the same time.
  if (isRolling(parent)) return { label: `${name} is rolling out`, left: 0 }
  const desired = parent.spec.replicas ?? children.length
  const well = children.filter((child) => !child.metadata.deletionTimestamp && isWell(child)).length
  const most = maxUnavailableOf(parent.spec.maxUnavailable, desired)
  const away = Math.max(0, desired - well)
  return { label: `${name} may have ${most} down and has ${away}`, left: Math.max(0, most - away) }
}

/** Instances are about to get newer content. A roll that has stopped takes no more. */
function isRolling({ metadata, status }: Readonly<Unit>): boolean {
  if (status?.observedGeneration !== metadata.generation) return true
  const isBehind = (status?.updatedReplicas ?? 0) < (status?.desiredReplicas ?? 0)
  return isBehind && findCondition(status?.conditions, PROGRESSING)?.reason === 'RollingOut'
}

function pursesOfBudgets(
  units: readonly Readonly<Unit>[],
  budgets: readonly Readonly<PodDisruptionBudget>[],
): PursesOf {
  if (budgets.length === 0) return () => []
  const wanted = units.filter((unit) => !isParent(unit) && unit.spec.desiredState !== 'inactive')
  const pods = wanted.map(podFor)
  const purses = budgets.map((budget) => {
    const object = budget as unknown as ApiObject
    const { desiredHealthy, currentHealthy, disruptionsAllowed } = observeBudget(
      { ...object, status: {} },
      pods,
      NO_TIME,
    )
    const label = `the disruption budget ${budget.metadata.name} needs ${desiredHealthy} and has ${currentHealthy}`
    return { object, purse: { label, left: disruptionsAllowed } }
  })
  return (unit) => purses.flatMap(({ object, purse }) => (covers(object, podFor(unit)) ? purse : []))
}

/** Evictions of pods that are not to be seen yet have no place here: those of units are. */
const NO_TIME = new Date(0)

/** As much of a pod as a budget counts by. */
function podFor(unit: Readonly<Unit>): ApiObject {
  const { name, labels = {} } = unit.metadata
  const conditions = [{ type: 'Ready', status: isWell(unit) ? 'True' : 'False' }]
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, status: { phase: 'Running', conditions } }
}
