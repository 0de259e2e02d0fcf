/**
 * Whether some rules give at least what others give, and what they leave out. The guard against escalation stands on
 * it: nobody may hand out what they do not have. Rules are taken apart into the smallest ones first, because what a
 * wide rule gives may be held in pieces.
 */
import type { PolicyRule } from './policy.ts'

/** The pieces of `wanted` that `held` does not give, put together where they differ in verbs alone. */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return compactRules(wanted.flatMap(piecesOf).filter((piece) => !held.some((rule) => covers(rule, piece))))
}

/** Rules of one verb, one group, one resource and at most one name, or of one verb and one path. */
export function piecesOf(rule: PolicyRule): PolicyRule[] {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
  const names = resourceNames.length > 0 ? resourceNames.map((name) => ({ resourceNames: [name] })) : [{}]
  const aboutResources = apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) =>
        names.map((name): PolicyRule => ({ verbs: [verb], apiGroups: [group], resources: [resource], ...name })),
      ),
    ),
  )
  const aboutPaths = nonResourceURLs.flatMap((url) =>
    verbs.map((verb): PolicyRule => ({ verbs: [verb], nonResourceURLs: [url] })),
  )
  return [...aboutResources, ...aboutPaths]
}

/** Whether `rule` alone gives all that `piece` gives. */
export function covers(rule: PolicyRule, piece: PolicyRule): boolean {
  const names = piece.resourceNames ?? []
  const held = rule.resourceNames ?? []
  return (
    hasAll(rule.verbs, piece.verbs) &&
    hasAll(rule.apiGroups, piece.apiGroups) &&
    (piece.resources ?? []).every((resource) => coversResource(rule.resources ?? [], resource)) &&
    (piece.nonResourceURLs ?? []).every((path) => (rule.nonResourceURLs ?? []).some((url) => coversPath(url, path))) &&
    (held.length === 0 || (names.length > 0 && names.every((name) => held.includes(name))))
  )
}

function hasAll(held: readonly string[] = [], wanted: readonly string[] = []): boolean {
  return held.includes('*') || wanted.every((one) => held.includes(one))
}

function coversResource(held: readonly string[], resource: string): boolean {
  if (held.includes('*') || held.includes(resource)) return true
  const slash = resource.indexOf('/')
  return slash >= 0 && held.includes(`*${resource.slice(slash)}`)
}

function coversPath(held: string, path: string): boolean {
  return held === path || (held.endsWith('*') && path.startsWith(held.replace(/\*+$/, '')))
}

/** Joins the verbs of rules that are otherwise the same, where those have one group and one resource. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const kept: PolicyRule[] = []
  const simple = new Map<string, PolicyRule>()
  for (const rule of rules) {
    const key = simpleKey(rule)
    if (key === undefined) kept.push(rule)
    else simple.set(key, { ...rule, verbs: [...new Set([...(simple.get(key)?.verbs ?? []), ...rule.verbs])] })
  }
  return [...kept, ...simple.values()]
}

function simpleKey({ apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule) {
  const single = apiGroups.length === 1 && resources.length === 1 && resourceNames.length <= 1
  return single && nonResourceURLs.length === 0 ? JSON.stringify([apiGroups, resources, resourceNames]) : undefined
}

/** `{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`: how a refusal names a rule. */
export function ruleText(rule: PolicyRule): string {
  const parts: [string, readonly string[] | undefined][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ]
  const said = parts.flatMap(([name, list]) => (list && list.length > 0 ? [`${name}:${quotedList(list)}`] : []))
  return `{${said.join(', ')}}`
}

/** `["a" "b"]` */
export function quotedList(list: readonly string[]): string {
  return `[${list.map((one) => JSON.stringify(one)).join(' ')}]`
}
