/** The fixed roles of roles.ts in RBAC's words, for reviews and for the guard against escalation. */
import type { Identity } from '../identity.ts'
import { type ResourceRule, rolesOf } from '../roles.ts'
import type { PolicyRule } from './policy.ts'

export interface FixedRules {
  readonly rules: readonly PolicyRule[]
  /** Some of what is allowed depends on the object, which no rule can say; it is left out. */
  readonly incomplete: boolean
}

/** `namespace` is where one asks; undefined for what holds everywhere. */
export function fixedRules(identity: Identity, namespace: string | undefined): FixedRules {
  const roles = rolesOf(identity)
  const resources = roles.flatMap((role) => role.resources)
  const here = resources.filter(({ namespaces }) => namespaces === undefined || namespaces.includes(namespace ?? ''))
  return {
    rules: [
      ...here.filter(({ condition }) => condition === undefined).map(resourcePolicy),
      ...roles.flatMap((role) => role.paths.map(({ verbs, paths }) => ({ verbs, nonResourceURLs: paths }))),
    ],
    incomplete: here.some(({ condition }) => condition !== undefined),
  }
}

function resourcePolicy({ verbs, groups, resources, subresources, names }: ResourceRule): PolicyRule {
  const withSubresources = resources.flatMap((resource) =>
    subresources.includes('*') && resource === '*'
      ? ['*']
      : subresources.map((subresource) => (subresource === '' ? resource : `${resource}/${subresource}`)),
  )
  return { verbs, apiGroups: groups, resources: withSubresources, ...(names && { resourceNames: names }) }
}
