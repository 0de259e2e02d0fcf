/** All that decides together: the fixed roles of our own parts first, then what RBAC objects grant on top of them. */
import { type Attributes, type Decision, decideByRole, forbiddenMessage } from '../authorize.ts'
import { API_SERVER_USER, type Identity, MASTERS_GROUP } from '../identity.ts'
import type { MachineSources } from '../machine-sources.ts'
import { compactRules } from './coverage.ts'
import { fixedRules } from './fixed-rules.ts'
import type { Grant, Grants } from './grants.ts'
import type { PolicyRule, RoleRef } from './policy.ts'

export interface HeldRules {
  readonly rules: readonly PolicyRule[]
  /** Why the rules may not be all, in a sentence; empty when they are. */
  readonly incomplete: string
}

export interface Authorizer {
  decide(identity: Identity, attributes: Attributes): Decision
  /** What `identity` may do in `namespace`, or everywhere where none is given. */
  rulesFor(identity: Identity, namespace: string | undefined): HeldRules
  /** Rules of the role that a binding in `namespace` names; undefined when there is none. */
  rulesOf(namespace: string | undefined, ref: RoleRef): readonly PolicyRule[] | undefined
}

/** `sources`: what machines may read because of their units. */
export function createAuthorizer(grants: Grants, sources: Pick<MachineSources, 'allows'>): Authorizer {
  return {
    decide: (identity, attributes) => {
      const fixed = decideByRole(identity, attributes)
      if (fixed !== undefined && fixed.condition === undefined) return fixed
      if (sources.allows(identity, attributes)) return { allowed: true, reason: 'a unit of this machine names it' }
      const grant = grants.find(identity, attributes)
      if (grant !== undefined) return { allowed: true, reason: reasonOf(grant) }
      return fixed ?? { allowed: false, reason: refusal(grants, identity, attributes) }
    },
    rulesFor: (identity, namespace) => {
      const fixed = fixedRules(identity, namespace)
      const missing = grants.missingRoles(identity, namespace).map(missingText)
      const conditional = fixed.incomplete ? ['some permissions of this user depend on the object'] : []
      return {
        rules: compactRules([...fixed.rules, ...grants.rulesFor(identity, namespace)]),
        incomplete: [...conditional, ...missing].join(', '),
      }
    },
    rulesOf: (namespace, ref) => grants.rulesOf(namespace, ref),
  }
}

/** Whether nothing can be refused to `identity`, so that handing out rights needs no guard. */
export function mayEverything({ user, groups }: Identity): boolean {
  return groups.includes(MASTERS_GROUP) || user === API_SERVER_USER
}

function reasonOf({ binding, role, subject }: Grant): string {
  return `RBAC: allowed by ${binding} of ${role.kind} "${role.name}" to ${subject}`
}

/** A denial that would have been different, had a bound role existed, says so. */
function refusal(grants: Grants, identity: Identity, attributes: Attributes): string {
  const namespace = attributes.path === undefined ? attributes.namespace : undefined
  const missing = grants.missingRoles(identity, namespace).map(missingText)
  const text = missing.length > 1 ? `[${missing.join(', ')}]` : missing.join('')
  return forbiddenMessage(identity, attributes) + (text === '' ? '' : `: RBAC: ${text}`)
}

function missingText({ kind, name }: RoleRef): string {
  return `${kind.toLowerCase()}.rbac.authorization.k8s.io "${name}" not found`
}
