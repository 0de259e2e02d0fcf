/** Who may do what through this door: RBAC is asked in the words of the object that the call is about. */
import type { Kind } from '../../../crds/kind.ts'
import { type ConditionSubject, forbiddenMessage, meetsCondition } from '../../auth/authorize.ts'
import type { Identity } from '../../auth/identity.ts'
import type { Authorizer } from '../../auth/rbac/authorizer.ts'
import { secretRefusal, type UnitWithSecrets } from '../../auth/unit-secrets.ts'
import { Refusal } from './refusal.ts'

export interface Wanted {
  readonly verb: 'get' | 'list' | 'create' | 'update' | 'patch' | 'delete'
  readonly kind: Kind
  readonly name?: string
  /** As it is stored, where there is one. */
  readonly object?: ConditionSubject
  /** What it would become, where that is known already. */
  readonly next?: UnitWithSecrets | undefined
}

/** Throws a 403 with RBAC's own sentence. */
export type Demand = (wanted: Wanted) => void

export function demandFor(authorizer: Authorizer, identity: Identity): Demand {
  return ({ verb, kind, name, object, next }) => {
    const asked = { verb, group: kind.group, resource: kind.plural, name }
    const decision = authorizer.decide(identity, asked)
    if (!decision.allowed) throw new Refusal(403, decision.reason)
    if (decision.condition !== undefined && !meetsCondition(identity, decision.condition, object ?? {}))
      throw new Refusal(403, forbiddenMessage(identity, asked))
    const secret = next && secretRefusal(authorizer, identity, next, object)
    if (secret !== undefined) throw new Refusal(403, secret)
  }
}
