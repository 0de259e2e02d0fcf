/** A parent's status: counts and one condition, so that it is as small for 5 000 instances as for one. */
import type { Unit } from '../../crds/unit.ts'
import { isGlobal, isParent } from '../../crds/unit-set.ts'
import { findCondition, type NewCondition, saysAlready } from '../lib/conditions.ts'
import { isActive, isSettled } from './health.ts'
import type { Instance } from './instances.ts'
import type { Member, Roll } from './roll.ts'

/** False: it goes no further by itself; the reason says why. Complete: every instance is as asked for. */
export const PROGRESSING = 'Progressing'

export interface Sight {
  readonly parent: Readonly<Unit>
  readonly members: readonly Member[]
  readonly roll: Roll
  readonly desired: number
  /** Whose names belong to somebody else. */
  readonly taken: readonly Instance[]
  readonly invalid: readonly Instance[]
  /** Something is about to be written, so what the instances say is not about what is asked for. */
  readonly isChanging: boolean
}

export interface Counts {
  readonly desiredReplicas: number
  /** That are there. */
  readonly replicas: number
  /** That run, with whatever content. */
  readonly activeReplicas: number
  /** That run with what their objects say now. */
  readonly readyReplicas: number
  /** That have the parent's content. */
  readonly updatedReplicas: number
}

export interface Report {
  /** Undefined: it is no parent (any more), and nothing is to be counted. */
  readonly counts: Counts | undefined
  readonly condition: NewCondition | undefined
  /** Worth an Event. */
  readonly isNews: boolean
}

/** At most one; none when the status says so already. */
export function tell(sight: Sight): Report[] {
  const { parent, members } = sight
  const { status } = parent
  if (!isParent(parent)) {
    const isCounted = status?.desiredReplicas !== undefined && members.length === 0
    return isCounted ? [{ counts: undefined, condition: undefined, isNews: false }] : []
  }
  const counts = countsOf(sight)
  const condition = conditionOf(sight)
  const isSaid = saysAlready(status?.conditions, condition) && status?.observedGeneration === parent.metadata.generation
  const isCounted = Object.entries(counts).every(([name, count]) => status?.[name as keyof Counts] === count)
  const isNews = findCondition(status?.conditions, PROGRESSING)?.reason !== condition.reason
  return isSaid && isCounted ? [] : [{ counts, condition, isNews }]
}

function countsOf({ members, roll, desired }: Sight): Counts {
  const there = members.flatMap(({ child }) => (child && !child.metadata.deletionTimestamp ? child : []))
  return {
    desiredReplicas: desired,
    replicas: there.length,
    activeReplicas: there.filter(isActive).length,
    readyReplicas: there.filter((child) => isActive(child) && isSettled(child)).length,
    updatedReplicas: roll.updated,
  }
}

function conditionOf(sight: Sight): NewCondition {
  const { parent, roll, members } = sight
  const { generation } = parent.metadata
  const trouble = troubleOf(sight)
  const about = { type: PROGRESSING, ...(generation === undefined ? {} : { observedGeneration: generation }) }
  if (trouble) return { ...about, status: 'False', ...trouble }
  const isComplete = !sight.isChanging && roll.updated === members.length && roll.unsettled.length === 0
  const message = isComplete ? 'every instance is as asked for' : `${progress(sight)}${waitsFor(roll)}`
  return { ...about, status: 'True', reason: isComplete ? 'Complete' : 'RollingOut', message }
}

function troubleOf(sight: Sight): Pick<NewCondition, 'reason' | 'message'> | undefined {
  const { parent, roll, members, taken, invalid } = sight
  if (parent.spec.replicas !== undefined && isGlobal(parent.spec))
    return { reason: 'Contradiction', message: 'Global and spec.replicas cannot both be: leave one of them out' }
  if (taken.length > 0)
    return {
      reason: 'NameTaken',
      message: `there are units that are not its own: ${named(taken)}; delete or rename them`,
    }
  if (invalid.length > 0) return { reason: 'NameInvalid', message: `no legal unit names: ${named(invalid)}` }
  const [failed] = roll.failed
  if (failed) return { reason: 'InstanceFailed', message: `${failed.name}: ${failed.because}; ${progress(sight)}` }
  if (roll.maxUnavailable === 0 && roll.updated < members.length)
    return { reason: 'Held', message: `spec.maxUnavailable is 0; ${progress(sight)}` }
  return undefined
}

function progress({ roll, desired }: Sight): string {
  return `${roll.updated} of ${desired} have the newest content`
}

function waitsFor({ unsettled, unreachable }: Roll): string {
  const names = [...unsettled, ...unreachable]
  return names.length === 0 ? '' : `, waits for ${list(names)}`
}

function named(instances: readonly Instance[]): string {
  return list(instances.map(({ name }) => name))
}

const SHOWN = 3

function list(names: readonly string[]): string {
  const more = names.length - SHOWN
  return `${names.slice(0, SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
