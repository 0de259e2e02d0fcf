/**
 * Evictions and the budgets that bound them. What a budget allows is worked out from the pods as they are, and each
 * eviction is written into the budget's status first: two at once meet there, and the second sees the first.
 */
import {
  covers,
  disruptionConditions,
  isDisposable,
  mayIgnore,
  type Observed,
  observeBudget,
} from '../../crds/core/disruption.ts'
import { Pod, PodDisruptionBudget } from '../../crds/index.ts'
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { objectOf } from './entry.ts'
import { StatusError } from './errors.ts'
import { timestamp } from './prepare.ts'
import type { Registry } from './registry.ts'

const BUDGET = PodDisruptionBudget as unknown as Kind
const POD = Pod as unknown as Kind

/** Makes room for the eviction of `pod`, or throws 429 naming the budget that does not allow it now. */
export async function claimDisruption(registry: Registry, pod: ApiObject, dryRun: boolean): Promise<void> {
  const { namespace = '', name } = pod.metadata
  if (isDisposable(pod)) return
  const budgets = objectsIn(registry, BUDGET, namespace).filter((budget) => covers(budget, pod))
  const [budget, another] = budgets
  if (budget === undefined) return
  if (another !== undefined)
    throw new StatusError(
      500,
      'InternalError',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  const place = { kind: BUDGET, namespace, name: budget.metadata.name }
  await registry.update(place, (current) => claimed(registry, current, pod, name), 'status', { dryRun })
}

function claimed(registry: Registry, budget: ApiObject, pod: ApiObject, name: string): ApiObject {
  const now = new Date()
  const pods = objectsIn(registry, POD, budget.metadata.namespace ?? '')
  const status = observeBudget(budget, pods, now)
  const withConditions = (status: Observed): ApiObject => ({
    ...budget,
    status: { ...status, conditions: disruptionConditions(budget, status, now) },
  })
  if (mayIgnore(budget, pod, status)) return withConditions(status)
  if (status.disruptionsAllowed <= 0) throw refusal(budget.metadata.name, status)
  const disruptedPods = { ...status.disruptedPods, [name]: timestamp(now) }
  return withConditions({ ...status, disruptionsAllowed: status.disruptionsAllowed - 1, disruptedPods })
}

function refusal(budget: string, { desiredHealthy, currentHealthy }: Observed): StatusError {
  const message = `The disruption budget ${budget} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
  return new StatusError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message, field: '' }],
  })
}

function objectsIn(registry: Registry, kind: Kind, namespace: string): ApiObject[] {
  return [...registry.feed.cache(kind).entries.from('', `${namespace}/`)].map(objectOf)
}
