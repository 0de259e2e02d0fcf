/** Cluster roles whose rules are those of others, found by label. Pure: who writes the result is not decided here. */
import { isDeepStrictEqual } from 'node:util'
import type { LabelSelector, PolicyRule, RoleObject } from './policy.ts'

/** Whether a role's rules are made, not written by hand. */
export function isAggregated({ aggregationRule }: RoleObject): boolean {
  return (aggregationRule?.clusterRoleSelectors?.length ?? 0) > 0
}

/** Every rule of the roles that a selector of `role` finds, in the order of selectors and names, each once. */
export function aggregatedRules(role: RoleObject, all: Iterable<RoleObject>): PolicyRule[] {
  const others = [...all].filter(({ metadata }) => metadata.name !== role.metadata.name)
  others.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const rules: PolicyRule[] = []
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? [])
    for (const { rules: found = [] } of others.filter(({ metadata }) => selects(selector, metadata.labels)))
      for (const rule of found) if (!rules.some((known) => isDeepStrictEqual(known, rule))) rules.push(rule)
  return rules
}

/** An empty selector finds everything, as everywhere in Kubernetes. */
export function selects(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Readonly<Record<string, string>> = {},
): boolean {
  const has = (key: string): boolean => Object.hasOwn(labels, key)
  return (
    Object.entries(matchLabels).every(([key, value]) => has(key) && labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      switch (operator) {
        case 'In':
          return has(key) && values.includes(labels[key] ?? '')
        case 'NotIn':
          return !has(key) || !values.includes(labels[key] ?? '')
        case 'Exists':
          return has(key)
        default:
          return operator === 'DoesNotExist' && !has(key)
      }
    })
  )
}
