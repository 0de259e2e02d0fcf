/** RBAC as its documentation reads, going through every binding and every rule: slow, and plainly right. */
import type { Attributes } from '../../../../../api-server/auth/authorize.ts'
import type { Identity } from '../../../../../api-server/auth/identity.ts'
import type { BindingObject, PolicyRule, RoleObject, Subject } from '../../../../../api-server/auth/rbac/policy.ts'

/** By `<namespace or nothing>/<name>`. */
export interface World {
  readonly roles: Map<string, RoleObject>
  readonly bindings: Map<string, BindingObject>
}

export function worldAllows({ roles, bindings }: World, identity: Identity, attributes: Attributes): boolean {
  return [...bindings].some(([key, { roleRef, subjects = [] }]) => {
    const namespace = key.slice(0, key.indexOf('/'))
    const reaches = namespace === '' || (attributes.path === undefined && attributes.namespace === namespace)
    const role = roles.get(`${roleRef.kind === 'Role' ? namespace : ''}/${roleRef.name}`)
    return (
      reaches &&
      subjects.some((subject) => isMeant(subject, identity, namespace)) &&
      (role?.rules ?? []).some((rule) => ruleFits(rule, attributes))
    )
  })
}

function isMeant({ kind, name, namespace }: Subject, { user, groups }: Identity, bindingNamespace: string): boolean {
  if (kind === 'User') return user === name
  if (kind === 'Group') return groups.includes(name)
  return user === `system:serviceaccount:${namespace || bindingNamespace}:${name}`
}

function ruleFits(rule: PolicyRule, attributes: Attributes): boolean {
  const in_ = (list: readonly string[] | undefined, value: string) =>
    (list ?? []).some((one) => one === '*' || one === value)
  if (!in_(rule.verbs, attributes.verb)) return false
  if (attributes.path !== undefined) {
    const { path } = attributes
    return (rule.nonResourceURLs ?? []).some(
      (url) => url === path || (url.at(-1) === '*' && path.startsWith(url.slice(0, -1))),
    )
  }
  const { group, resource, subresource, name } = attributes
  const words = subresource ? [`${resource}/${subresource}`, `*/${subresource}`] : [resource]
  return (
    in_(rule.apiGroups, group) &&
    words.some((word) => in_(rule.resources, word)) &&
    (!rule.resourceNames?.length || rule.resourceNames.some((one) => one === name))
  )
}
