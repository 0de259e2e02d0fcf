/** A rule made ready for many questions: lists become sets once, when the role changes, not for every request. */
import type { Attributes } from '../authorize.ts'
import type { PolicyRule } from './policy.ts'

export interface CompiledRule {
  readonly rule: PolicyRule
  readonly verbs: ReadonlySet<string>
  readonly anyVerb: boolean
  readonly groups: ReadonlySet<string>
  readonly anyGroup: boolean
  readonly resources: ReadonlySet<string>
  readonly anyResource: boolean
  /** Undefined: every name, and no name. */
  readonly names: ReadonlySet<string> | undefined
  readonly paths: readonly string[]
}

export function compileRule(rule: PolicyRule): CompiledRule {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
  return {
    rule,
    verbs: new Set(verbs),
    anyVerb: verbs.includes('*'),
    groups: new Set(apiGroups),
    anyGroup: apiGroups.includes('*'),
    resources: new Set(resources),
    anyResource: resources.includes('*'),
    names: resourceNames.length > 0 ? new Set(resourceNames) : undefined,
    paths: nonResourceURLs,
  }
}

/** What is asked of every rule in turn: the attributes, and the words that rules may use for them. */
export interface Question {
  readonly attributes: Attributes
  /** `pods/log`; the bare resource where there is no subresource. */
  readonly resource: string
  /** Any resource's: `*`+`/log`. */
  readonly anyWithSubresource: string | undefined
}

export function questionOf(attributes: Attributes): Question {
  if (attributes.path !== undefined) return { attributes, resource: '', anyWithSubresource: undefined }
  const { resource, subresource } = attributes
  return subresource
    ? { attributes, resource: `${resource}/${subresource}`, anyWithSubresource: `*/${subresource}` }
    : { attributes, resource, anyWithSubresource: undefined }
}

export function ruleAllows(rule: CompiledRule, question: Question): boolean {
  const { attributes } = question
  if (!rule.anyVerb && !rule.verbs.has(attributes.verb)) return false
  if (attributes.path !== undefined) return pathAllowed(rule.paths, attributes.path)
  return (
    resourceAllowed(rule, question) &&
    (rule.anyGroup || rule.groups.has(attributes.group)) &&
    (rule.names === undefined || (attributes.name !== undefined && rule.names.has(attributes.name)))
  )
}

function resourceAllowed(rule: CompiledRule, { resource, anyWithSubresource }: Question): boolean {
  return (
    rule.anyResource ||
    rule.resources.has(resource) ||
    (anyWithSubresource !== undefined && rule.resources.has(anyWithSubresource))
  )
}

function pathAllowed(paths: readonly string[], asked: string): boolean {
  for (const path of paths) {
    if (path === asked || path === '*') return true
    if (path.endsWith('*') && asked.startsWith(path.slice(0, -1))) return true
  }
  return false
}
