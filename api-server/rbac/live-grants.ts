/** Keeps the grants as the watch cache has them: loaded once, then changed with each object, in the same turn. */
import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '../../crds/index.ts'
import { Grants } from '../auth/rbac/grants.ts'
import type { BindingObject, RoleObject } from '../auth/rbac/policy.ts'
import { type Entry, objectOf } from '../registry/entry.ts'
import type { Feed } from '../registry/feed.ts'
import type { KindCache } from '../registry/kind-cache.ts'

/** `feed` must be loaded. The grants live as long as it does. */
export function liveGrants(feed: Feed): Grants {
  const grants = new Grants()
  for (const kind of [Role, ClusterRole])
    follow(feed.cache(kind), {
      put: (entry) => grants.setRole(entry.namespace, objectOf(entry) as unknown as RoleObject),
      remove: ({ namespace, name }) => grants.removeRole(namespace, name),
    })
  for (const kind of [RoleBinding, ClusterRoleBinding])
    follow(feed.cache(kind), {
      put: (entry) => grants.setBinding(entry.namespace, objectOf(entry) as unknown as BindingObject),
      remove: ({ namespace, name }) => grants.removeBinding(namespace, name),
    })
  return grants
}

interface Follower {
  put(entry: Entry): void
  remove(entry: Entry): void
}

function follow(cache: KindCache, { put, remove }: Follower): void {
  for (const entry of cache.entries.from('')) put(entry)
  const deliver = ({
    entry,
    previous,
  }: {
    readonly entry: Entry | undefined
    readonly previous: Entry | undefined
  }) => {
    if (entry !== undefined) put(entry)
    else if (previous !== undefined) remove(previous)
  }
  cache.watchers.add({ deliver }, undefined)
}
