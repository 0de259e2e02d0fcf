/** What a budget's status is to say. Pure; the numbers are those by which the server judges evictions. */
import { isDeepStrictEqual } from 'node:util'
import { disruptionConditions, nextGivenUpMs, observeBudget } from '../../crds/core/disruption.ts'
import type { PodDisruptionBudget } from '../../crds/core/index.ts'
import type { ApiObject } from '../../crds/kind.ts'

export interface Observed {
  readonly budget: Readonly<PodDisruptionBudget>
  /** Of its namespace. */
  readonly pods: readonly ApiObject[]
  readonly now: Date
}

export interface Plan {
  /** Undefined: it says so already. */
  readonly report: { readonly status: PodDisruptionBudget['status']; readonly reason: string } | undefined
  /** When to look again although nothing changes: an eviction that is not to be seen by then did not happen. */
  readonly againAtMs: number | undefined
}

export function plan({ budget, pods, now }: Observed): Plan {
  const object = budget as unknown as ApiObject
  const observed = observeBudget(object, pods, now)
  const status = { ...observed, conditions: disruptionConditions(object, observed, now) }
  const { currentHealthy, desiredHealthy, disruptionsAllowed } = observed
  const reason = `${currentHealthy} healthy, ${desiredHealthy} needed: ${disruptionsAllowed} may go`
  return {
    report: isDeepStrictEqual(status, budget.status)
      ? undefined
      : { status: status as unknown as PodDisruptionBudget['status'], reason },
    againAtMs: nextGivenUpMs(observed),
  }
}
