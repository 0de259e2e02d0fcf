/**
 * Who was given what: the bindings, found by the user and the groups of whoever asks, so that a decision costs what the
 * asker's own bindings cost, however many others there are. Kept current object by object; asks nobody and never waits.
 *
 *     user or group ──► namespace ('' = everywhere) ──► role ──► the bindings that give it
 */
import type { Attributes } from '../authorize.ts'
import type { Identity } from '../identity.ts'
import { type CompiledRule, compileRule, questionOf, ruleAllows } from './compiled-rule.ts'
import {
  type BindingObject,
  type PolicyRule,
  type RoleObject,
  type RoleRef,
  type Subject,
  serviceAccountOf,
  serviceAccountUser,
} from './policy.ts'

/** A role that exists or that a binding names; it may come and go while bindings stay. */
interface RoleSlot {
  readonly ref: RoleRef
  /** Empty for a ClusterRole. */
  readonly namespace: string
  exists: boolean
  rules: readonly CompiledRule[]
  bindings: number
}

interface BoundSubject {
  readonly kind: string
  readonly name: string
}

interface Binding {
  readonly namespace: string
  readonly name: string
  readonly slot: RoleSlot
  readonly subjects: readonly BoundSubject[]
}

type ByRole = Map<RoleSlot, Set<Binding>>
type BySubject = Map<string, Map<string, ByRole>>

/** Why something is allowed. */
export interface Grant {
  /** `ClusterRoleBinding "admins"`, or `RoleBinding "dev/team"` in a namespace. */
  readonly binding: string
  readonly role: RoleRef
  /** `User "alice"`, `Group "devs"`, `ServiceAccount "robot/default"`. */
  readonly subject: string
}

export class Grants {
  readonly #roles = new Map<string, RoleSlot>()
  readonly #bindings = new Map<string, Binding>()
  readonly #users: BySubject = new Map()
  readonly #groups: BySubject = new Map()

  /** `namespace` is undefined for a ClusterRole. */
  setRole(namespace: string | undefined, { metadata, rules = [] }: RoleObject): void {
    const slot = this.#slot(refOf(namespace, metadata.name), namespace ?? '')
    slot.exists = true
    slot.rules = rules.map(compileRule)
  }

  removeRole(namespace: string | undefined, name: string): void {
    const slot = this.#roles.get(slotKey(refOf(namespace, name), namespace ?? ''))
    if (slot === undefined) return
    slot.exists = false
    slot.rules = []
    this.#forget(slot)
  }

  /** `namespace` is undefined for a ClusterRoleBinding. Replaces the binding of that name. */
  setBinding(namespace = '', { metadata, roleRef, subjects = [] }: BindingObject): void {
    this.#unbind(namespace, metadata.name)
    const slot = this.#slot(roleRef, roleRef.kind === 'Role' ? namespace : '')
    slot.bindings++
    const bound = subjects.map((subject) => boundSubject(subject, namespace))
    const binding = { namespace, name: metadata.name, slot, subjects: bound }
    this.#bindings.set(bindingKey(namespace, metadata.name), binding)
    for (const { kind, name } of bound) {
      const byNamespace = getOrMake(this.#subjects(kind), name, () => new Map<string, ByRole>())
      const byRole = getOrMake(byNamespace, namespace, () => new Map<RoleSlot, Set<Binding>>())
      getOrMake(byRole, slot, () => new Set<Binding>()).add(binding)
    }
  }

  removeBinding(namespace: string | undefined, name: string): void {
    this.#unbind(namespace ?? '', name)
  }

  /** The first grant that allows it. */
  find(identity: Identity, attributes: Attributes): Grant | undefined {
    const question = questionOf(attributes)
    const allows = (slot: RoleSlot): boolean => {
      for (const rule of slot.rules) if (ruleAllows(rule, question)) return true
      return false
    }
    return this.#first(identity, '', allows) ?? this.#first(identity, placeOf(attributes), allows)
  }

  /** Everything that was given to `identity` in `namespace` (undefined: cluster-wide things alone). */
  rulesFor(identity: Identity, namespace: string | undefined): PolicyRule[] {
    return this.#slotsOf(identity, namespace).flatMap((slot) => slot.rules.map(({ rule }) => rule))
  }

  /** Rules of the role that a binding in `namespace` would give; undefined when there is no such role. */
  rulesOf(namespace: string | undefined, ref: RoleRef): readonly PolicyRule[] | undefined {
    const slot = this.#roles.get(slotKey(ref, ref.kind === 'Role' ? (namespace ?? '') : ''))
    return slot?.exists ? slot.rules.map(({ rule }) => rule) : undefined
  }

  /** Roles that are bound to `identity` in `namespace` but do not exist. */
  missingRoles(identity: Identity, namespace: string | undefined): RoleRef[] {
    return this.#slotsOf(identity, namespace).flatMap(({ exists, ref }) => (exists ? [] : [ref]))
  }

  get size(): { readonly roles: number; readonly bindings: number } {
    return { roles: this.#roles.size, bindings: this.#bindings.size }
  }

  #first(
    { user, groups }: Identity,
    namespace: string | undefined,
    allows: (slot: RoleSlot) => boolean,
  ): Grant | undefined {
    if (namespace === undefined) return undefined
    const found = firstIn(this.#users.get(user)?.get(namespace), allows)
    if (found) return { ...found, subject: userText(user) }
    for (const group of groups) {
      const grant = firstIn(this.#groups.get(group)?.get(namespace), allows)
      if (grant) return { ...grant, subject: `Group "${group}"` }
    }
    return undefined
  }

  #slotsOf({ user, groups }: Identity, namespace: string | undefined): RoleSlot[] {
    const places = [this.#users.get(user), ...groups.map((group) => this.#groups.get(group))]
    const slots = [...(namespace ? ['', namespace] : [''])].flatMap((where) =>
      places.flatMap((place) => [...(place?.get(where)?.keys() ?? [])]),
    )
    return [...new Set(slots)]
  }

  #subjects(kind: string): BySubject {
    return kind === 'Group' ? this.#groups : this.#users
  }

  #slot(ref: RoleRef, namespace: string): RoleSlot {
    const make = (): RoleSlot => ({ ref, namespace, exists: false, rules: [], bindings: 0 })
    return getOrMake(this.#roles, slotKey(ref, namespace), make)
  }

  #forget(slot: RoleSlot): void {
    if (!slot.exists && slot.bindings === 0) this.#roles.delete(slotKey(slot.ref, slot.namespace))
  }

  #unbind(namespace: string, name: string): void {
    const key = bindingKey(namespace, name)
    const binding = this.#bindings.get(key)
    if (binding === undefined) return
    this.#bindings.delete(key)
    for (const subject of binding.subjects) this.#takeFrom(this.#subjects(subject.kind), subject.name, binding)
    binding.slot.bindings--
    this.#forget(binding.slot)
  }

  #takeFrom(subjects: BySubject, name: string, { namespace, slot, ...rest }: Binding): void {
    const byNamespace = subjects.get(name)
    const byRole = byNamespace?.get(namespace)
    const bindings = byRole?.get(slot)
    for (const each of bindings ?? []) if (each.name === rest.name) bindings?.delete(each)
    if (bindings?.size === 0) byRole?.delete(slot)
    if (byRole?.size === 0) byNamespace?.delete(namespace)
    if (byNamespace?.size === 0) subjects.delete(name)
  }
}

/** A service account is a user of that name; one that names no namespace is of the binding's own. */
function boundSubject({ kind, name, namespace: own }: Subject, namespace: string): BoundSubject {
  return kind === 'ServiceAccount' ? { kind: 'User', name: serviceAccountUser(own || namespace, name) } : { kind, name }
}

function userText(user: string): string {
  const account = serviceAccountOf(user)
  return account === undefined ? `User "${user}"` : `ServiceAccount "${account.name}/${account.namespace}"`
}

function firstIn(roles: ByRole | undefined, allows: (slot: RoleSlot) => boolean): Omit<Grant, 'subject'> | undefined {
  if (roles === undefined) return undefined
  for (const [slot, bindings] of roles) {
    if (!allows(slot)) continue
    for (const { namespace, name } of bindings) return { binding: describe(namespace, name), role: slot.ref }
  }
  return undefined
}

function describe(namespace: string, name: string): string {
  return namespace === '' ? `ClusterRoleBinding "${name}"` : `RoleBinding "${name}/${namespace}"`
}

function placeOf(attributes: Attributes): string | undefined {
  return attributes.path === undefined ? attributes.namespace || undefined : undefined
}

const refOf = (namespace: string | undefined, name: string): RoleRef => ({
  kind: namespace === undefined ? 'ClusterRole' : 'Role',
  name,
})

/** Neither a namespace nor a name holds a slash. */
const bindingKey = (namespace: string, name: string) => `${namespace}/${name}`
const slotKey = ({ kind, name }: RoleRef, namespace: string) => `${kind}/${namespace}/${name}`

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
