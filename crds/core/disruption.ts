/** What a PodDisruptionBudget allows, worked out from the pods it is about. Pure. */
import type { ApiObject } from '../kind.ts'
import { recordAt, recordsAt } from './built-in.ts'

/** The status of a budget, as far as pods decide it. */
export interface Observed {
  readonly expectedPods: number
  readonly desiredHealthy: number
  readonly currentHealthy: number
  readonly disruptionsAllowed: number
  /** Evictions that were allowed and are not yet to be seen: pod to time. */
  readonly disruptedPods?: Readonly<Record<string, string>>
  readonly observedGeneration?: number
}

/** An eviction that is not to be seen after so long did not happen. */
const SEEN_WITHIN_MS = 120_000

/** Whether taking the pod away costs nobody anything: no budget is asked. */
export function isDisposable(pod: ApiObject): boolean {
  const phase = recordAt(pod, 'status')?.phase
  return pod.metadata.deletionTimestamp !== undefined || ['Succeeded', 'Failed', 'Pending'].includes(String(phase))
}

/** Whether a budget is about a pod: by its selector, where an absent one selects nothing and an empty one everything. */
export function covers(budget: ApiObject, pod: ApiObject): boolean {
  const selector = recordAt(recordAt(budget, 'spec'), 'selector')
  if (selector === undefined) return false
  const labels = pod.metadata.labels ?? {}
  const wanted = Object.entries((selector.matchLabels ?? {}) as Record<string, string>)
  return (
    wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value) &&
    recordsAt(selector, 'matchExpressions').every((expression) => meets(expression, labels))
  )
}

function meets({ key, operator, values }: Record<string, unknown>, labels: Readonly<Record<string, string>>): boolean {
  const has = Object.hasOwn(labels, String(key))
  const isIn = has && Array.isArray(values) && values.includes(labels[String(key)])
  switch (operator) {
    case 'In':
      return isIn
    case 'NotIn':
      return !isIn
    case 'Exists':
      return has
    default:
      return !has
  }
}

export function isReady(pod: ApiObject): boolean {
  return recordsAt(recordAt(pod, 'status'), 'conditions').some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  )
}

/** A budget's status for the pods of its namespace. */
export function observeBudget(budget: ApiObject, pods: readonly ApiObject[], now: Date): Observed {
  const covered = pods.filter((pod) => covers(budget, pod) && !hasEnded(pod))
  const disruptedPods = pending(budget, covered, now)
  const expectedPods = covered.length
  const currentHealthy = covered.filter(
    (pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined && !(pod.metadata.name in disruptedPods),
  ).length
  const desiredHealthy = desired(budget, expectedPods)
  const { generation } = budget.metadata
  return {
    expectedPods,
    desiredHealthy,
    currentHealthy,
    disruptionsAllowed: expectedPods === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy),
    ...(Object.keys(disruptedPods).length > 0 && { disruptedPods }),
    ...(generation !== undefined && { observedGeneration: generation }),
  }
}

/** A budget's condition DisruptionAllowed beside the others it has; its time moves when its status does. */
export function disruptionConditions(
  budget: ApiObject,
  { disruptionsAllowed }: Pick<Observed, 'disruptionsAllowed'>,
  now: Date,
): Record<string, unknown>[] {
  const type = 'DisruptionAllowed'
  const known = recordsAt(recordAt(budget, 'status'), 'conditions')
  const before = known.find((condition) => condition.type === type)
  const status = disruptionsAllowed > 0 ? 'True' : 'False'
  const condition = {
    type,
    status,
    reason: disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    lastTransitionTime:
      before?.status === status ? before.lastTransitionTime : now.toISOString().replace(/\.\d+Z$/, 'Z'),
    ...(budget.metadata.generation !== undefined && { observedGeneration: budget.metadata.generation }),
  }
  return [...known.filter((one) => one.type !== type), condition]
}

/** When the next of the evictions that are not to be seen is given up; undefined where there is none. */
export function nextGivenUpMs({ disruptedPods = {} }: Pick<Observed, 'disruptedPods'>): number | undefined {
  const times = Object.values(disruptedPods).map((at) => Date.parse(at) + SEEN_WITHIN_MS)
  return times.length === 0 ? undefined : Math.min(...times)
}

function hasEnded(pod: ApiObject): boolean {
  return ['Succeeded', 'Failed'].includes(String(recordAt(pod, 'status')?.phase))
}

function pending(budget: ApiObject, pods: readonly ApiObject[], now: Date): Record<string, string> {
  const known = (recordAt(recordAt(budget, 'status'), 'disruptedPods') ?? {}) as Record<string, string>
  const there = new Set(pods.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.name))
  return Object.fromEntries(
    Object.entries(known).filter(([name, at]) => there.has(name) && now.getTime() - Date.parse(at) < SEEN_WITHIN_MS),
  )
}

/** How many must stay healthy; percentages round up, in the pods' favour. */
function desired(budget: ApiObject, expected: number): number {
  const { minAvailable, maxUnavailable } = recordAt(budget, 'spec') ?? {}
  if (maxUnavailable !== undefined) return Math.max(0, expected - amount(maxUnavailable, expected))
  return minAvailable === undefined ? 0 : amount(minAvailable, expected)
}

function amount(value: unknown, expected: number): number {
  const percent = typeof value === 'string' ? Number(value.slice(0, -1)) : undefined
  return percent === undefined ? Number(value) : Math.ceil((percent * expected) / 100)
}

/** A pod that runs and is not ready adds nothing to the healthy ones; whether it may go is the budget's policy. */
export function mayIgnore(budget: ApiObject, pod: ApiObject, status: Observed): boolean {
  if (isReady(pod)) return false
  if (recordAt(budget, 'spec')?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  return status.desiredHealthy > 0 && status.currentHealthy >= status.desiredHealthy
}
