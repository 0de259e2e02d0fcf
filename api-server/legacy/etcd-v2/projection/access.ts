/** Projected keys need the right that the object itself would need: RBAC is asked in the object's words. */
import type { Kind } from '../../../../crds/kind.ts'
import { type ConditionSubject, meetsCondition } from '../../../auth/authorize.ts'
import type { Identity } from '../../../auth/identity.ts'
import type { Authorizer } from '../../../auth/rbac/authorizer.ts'
import { bytesOfText } from '../bytes.ts'
import { type Failure, failure } from '../failure.ts'

export type ObjectVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'delete'

export interface Wanted {
  readonly verb: ObjectVerb
  readonly kind: Kind
  /** Of the object, where it is about one. */
  readonly name?: string | undefined
  readonly object?: ConditionSubject | undefined
}

/** Undefined: allowed. Else etcd's refusal, with RBAC's reason as the cause. */
export function refusalOf(authorizer: Authorizer, identity: Identity, wanted: Wanted): Failure | undefined {
  const { verb, kind, name, object } = wanted
  const decision = authorizer.decide(identity, { verb, group: kind.group, resource: kind.plural, name })
  if (!decision.allowed) return failure(110, bytesOfText(decision.reason))
  if (decision.condition === undefined || meetsCondition(identity, decision.condition, object ?? {})) return undefined
  return failure(110, `the role of ${bytesOfText(identity.user)} allows it only if ${decision.condition}`)
}
