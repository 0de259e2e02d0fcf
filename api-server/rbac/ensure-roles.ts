/** At every start: the built-in roles and bindings are there, with what they lack added to them. */
import { ClusterRole, ClusterRoleBinding } from '../../crds/index.ts'
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { updatedBinding, updatedRole } from '../auth/rbac/auto-update.ts'
import { BUILT_IN_BINDINGS, BUILT_IN_ROLES } from '../auth/rbac/built-in-roles.ts'
import type { BindingObject, RoleObject } from '../auth/rbac/policy.ts'
import { objectOf } from '../registry/entry.ts'
import { StatusError } from '../registry/errors.ts'
import type { Registry } from '../registry/registry.ts'

export async function ensureRoles(registry: Registry): Promise<void> {
  await Promise.all([
    ...BUILT_IN_ROLES.map((role) => ensure(registry, ClusterRole as Kind, role, updatedRole)),
    ...BUILT_IN_BINDINGS.map((binding) => ensure(registry, ClusterRoleBinding as Kind, binding, updatedBinding)),
  ])
}

async function ensure<T extends RoleObject | BindingObject>(
  registry: Registry,
  kind: Kind,
  wanted: T,
  updated: (existing: T, wanted: T) => T | undefined,
): Promise<void> {
  const place = { kind, namespace: undefined, name: wanted.metadata.name }
  const existing = registry.find(place)
  if (existing !== undefined && updated(objectOf(existing) as unknown as T, wanted) === undefined) return
  const object = { apiVersion: kind.apiVersion, kind: kind.kind, ...structuredClone(wanted) } as unknown as ApiObject
  const change = (current: ApiObject) => (updated(current as unknown as T, wanted) as unknown as ApiObject) ?? current
  const write = existing ? registry.update(place, change, undefined) : registry.create(kind, undefined, object)
  await write.catch((error: unknown) => {
    // Another server of the same store was faster, with the same.
    if (!(error instanceof StatusError && error.status.code === 409)) throw error
  })
}
