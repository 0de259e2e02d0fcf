/**
 * The guard against escalation: whoever writes a role or a binding must hold what it gives, unless they were given
 * `escalate` on roles, or `bind` on the role that is bound. Texts are a kube-apiserver's.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ApiObject } from '../../crds/kind.ts'
import type { Identity } from '../auth/identity.ts'
import { isAggregated } from '../auth/rbac/aggregation.ts'
import { type Authorizer, mayEverything } from '../auth/rbac/authorizer.ts'
import { missingRules, quotedList, ruleText } from '../auth/rbac/coverage.ts'
import { type BindingObject, type PolicyRule, RBAC_GROUP, type RoleObject } from '../auth/rbac/policy.ts'
import { forbidden, notFound, type StatusError } from '../registry/errors.ts'
import type { ResourceRequest } from './request-info.ts'

/** Throws 403, or 404 for a binding to no role. `previous` is absent on create. */
export type EscalationGuard = (next: ApiObject, previous: ApiObject | undefined) => void

interface Asker {
  readonly authorizer: Authorizer
  readonly identity: Identity
  readonly target: ResourceRequest
}

const FULL_AUTHORITY: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/** Undefined where there is nothing to guard. */
export function escalationGuard(
  authorizer: Authorizer,
  identity: Identity,
  target: ResourceRequest,
): EscalationGuard | undefined {
  if (target.kind.group !== RBAC_GROUP || mayEverything(identity)) return undefined
  const asker = { authorizer, identity, target }
  const check = target.kind.plural.endsWith('bindings') ? checkBinding : checkRole
  return (next, previous) => {
    if (previous === undefined || !differsInLifeOnly(next, previous)) check(asker, next, previous)
  }
}

function checkRole(asker: Asker, next: ApiObject, previous: ApiObject | undefined): void {
  const { authorizer, identity, target } = asker
  const { kind, namespace, name } = target
  const escalate = { verb: 'escalate', group: RBAC_GROUP, resource: kind.plural, namespace, name }
  if (authorizer.decide(identity, escalate).allowed) return
  const role = next as unknown as RoleObject
  requireHeld(asker, role.metadata.name, role.rules ?? [])
  const gathers = isAggregated(role) || (previous !== undefined && isAggregated(previous as unknown as RoleObject))
  if (gathers && missing(asker, FULL_AUTHORITY).length > 0)
    throw refuse(asker, role.metadata.name, 'must have cluster-admin privileges to use the aggregationRule')
}

function checkBinding(asker: Asker, next: ApiObject): void {
  const { authorizer, identity, target } = asker
  const { namespace } = target
  const { metadata, roleRef } = next as unknown as BindingObject
  const plural = roleRef.kind === 'Role' ? 'roles' : 'clusterroles'
  const bind = { verb: 'bind', group: RBAC_GROUP, resource: plural, namespace, name: roleRef.name }
  if (authorizer.decide(identity, bind).allowed) return
  const rules = authorizer.rulesOf(namespace, roleRef)
  if (rules === undefined) throw notFound({ group: RBAC_GROUP, plural }, roleRef.name)
  requireHeld(asker, metadata.name, rules)
}

function requireHeld(asker: Asker, name: string, rules: readonly PolicyRule[]): void {
  const lacking = missing(asker, rules)
  if (lacking.length === 0) return
  const { user, groups } = asker.identity
  const list = [...new Set(lacking.map(ruleText))].sort().join('\n')
  const who = `user ${JSON.stringify(user)} (groups=${quotedList(groups)})`
  throw refuse(asker, name, `${who} is attempting to grant RBAC permissions not currently held:\n${list}`)
}

function missing({ authorizer, identity, target }: Asker, wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  return missingRules(authorizer.rulesFor(identity, target.namespace).rules, wanted)
}

function refuse({ target: { kind } }: Asker, name: string, why: string): StatusError {
  return forbidden(`${kind.plural}.${kind.group} ${JSON.stringify(name)} is forbidden: ${why}`, kind, name)
}

/** Finalizers and owners alone: whoever cleans up need not hold what the role gives. */
function differsInLifeOnly(next: ApiObject, previous: ApiObject): boolean {
  const rest = ({ metadata, ...object }: ApiObject) => {
    const { ownerReferences: _o, finalizers: _f, managedFields: _m, resourceVersion: _r, ...meta } = metadata
    return { ...object, metadata: { ...meta, generation: 0 } }
  }
  return isDeepStrictEqual(rest(next), rest(previous))
}
