/**
 * May this caller do that? A pure decision over roles.ts, in Kubernetes' words and with its texts. Where the answer
 * depends on the object (a machine may report only on units it holds), the decision carries a condition that the
 * registry checks with `meetsCondition` inside its read-modify-write, on the object it is about to change.
 */
import { type Identity, machineOf } from './identity.ts'
import { type Condition, type PathRule, type ResourceRule, rolesOf } from './roles.ts'

export interface ResourceAttributes {
  /** get, list, watch, create, update, patch, delete, deletecollection. */
  readonly verb: string
  /** '' is the core group. */
  readonly group: string
  readonly resource: string
  readonly subresource?: string | undefined
  /** Absent or '' for cluster-scoped kinds and for lists over all namespaces. */
  readonly namespace?: string | undefined
  /** Absent or '' for collections. */
  readonly name?: string | undefined
  readonly path?: undefined
}

export interface PathAttributes {
  /** The HTTP method in lower case. */
  readonly verb: string
  /** Without the query. */
  readonly path: string
}

export type Attributes = ResourceAttributes | PathAttributes

/** `condition` must still be met where it is set. */
export interface Allowed {
  readonly allowed: true
  readonly reason: string
  readonly condition?: Condition
}

/** `reason` of a denial is the 403's whole message. */
export type Decision = Allowed | { readonly allowed: false; readonly reason: string }

/** The parts of a stored object that conditions look at. */
export interface ConditionSubject {
  readonly metadata?: { readonly name?: string | undefined } | undefined
  readonly spec?: { readonly machineName?: string | undefined } | undefined
  readonly status?: { readonly machineName?: string | undefined } | undefined
}

export function authorize(identity: Identity, attributes: Attributes): Decision {
  return decideByRole(identity, attributes) ?? { allowed: false, reason: forbiddenMessage(identity, attributes) }
}

/** What the fixed roles say; undefined where none of them allows it. */
export function decideByRole(identity: Identity, attributes: Attributes): Allowed | undefined {
  const roles = rolesOf(identity)
  if (attributes.path !== undefined) {
    const allowed = roles.some((role) => role.paths.some((rule) => pathMatches(rule, attributes)))
    return allowed ? allow(identity) : undefined
  }
  let conditional: Condition | undefined
  for (const role of roles)
    for (const rule of role.resources) {
      if (!resourceMatches(rule, attributes)) continue
      if (rule.condition === undefined) return allow(identity)
      conditional ??= rule.condition
    }
  return conditional && allow(identity, conditional)
}

/**
 * Whether an object is one the caller may act on: for an update or patch the object as it is stored (never as the
 * request would make it), for a create the object as sent. Throws nothing; not met = 403 with `forbiddenMessage`.
 */
export function meetsCondition(identity: Identity, condition: Condition, object: ConditionSubject): boolean {
  if (condition === 'holds-unit') return ownsUnit(identity, object)
  const machine = machineOf(identity)
  return machine !== undefined && object.metadata?.name === machine
}

/** A machine's units: those it should run and those it still holds. */
export function ownsUnit(identity: Identity, unit: ConditionSubject): boolean {
  const machine = machineOf(identity)
  return machine !== undefined && (unit.spec?.machineName === machine || unit.status?.machineName === machine)
}

/** The text of a 403, as a kube-apiserver words it. */
export function forbiddenMessage(identity: Identity, attributes: Attributes): string {
  const user = `User ${JSON.stringify(identity.user)}`
  if ('path' in attributes)
    return `forbidden: ${user} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}`
  const { verb, group, resource, subresource, namespace, name } = attributes
  const kind = group ? `${resource}.${group}` : resource
  const what = name ? `${kind} ${JSON.stringify(name)}` : kind
  const full = JSON.stringify(subresource ? `${resource}/${subresource}` : resource)
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope'
  return `${what} is forbidden: ${user} cannot ${verb} resource ${full} in API group ${JSON.stringify(group)} ${where}`
}

function allow({ user }: Identity, condition?: Condition): Allowed {
  const reason = condition ? `the role of ${user} allows it if ${condition}` : `the role of ${user} allows it`
  return { allowed: true, reason, ...(condition && { condition }) }
}

function resourceMatches(rule: ResourceRule, asked: ResourceAttributes): boolean {
  return (
    matches(rule.verbs, asked.verb) &&
    matches(rule.groups, asked.group) &&
    matches(rule.resources, asked.resource) &&
    matches(rule.subresources, asked.subresource ?? '') &&
    matches(rule.namespaces, asked.namespace ?? '') &&
    (rule.names === undefined || rule.names.includes(asked.name ?? '')) // no '*' here: it could be somebody's name
  )
}

function pathMatches(rule: PathRule, { verb, path }: PathAttributes): boolean {
  return matches(rule.verbs, verb) && rule.paths.some((allowed) => pathIsUnder(allowed, path))
}

function pathIsUnder(allowed: string, path: string): boolean {
  return allowed.endsWith('*') ? path.startsWith(allowed.slice(0, -1)) : path === allowed
}

function matches(allowed: readonly string[] | undefined, value: string): boolean {
  return allowed === undefined || allowed.includes('*') || allowed.includes(value)
}
