/** Namespaces: the few that always exist, and the rule that objects need a living one. */

import { MACHINE_LEASES } from '../../crds/group.ts'
import { Namespace } from '../../crds/index.ts'
import type { Kind } from '../../crds/kind.ts'
import { objectOf } from './entry.ts'
import { forbidden, notFound, StatusError } from './errors.ts'
import { NODE_LEASES } from './node-lease.ts'
import type { Registry } from './registry.ts'

/** Made at every start, never deleted. */
export const ALWAYS_THERE = ['default', 'kube-system', 'kube-public', NODE_LEASES, MACHINE_LEASES]

const placeOf = (name: string) => ({ kind: Namespace as Kind, namespace: undefined, name })

export async function ensureNamespaces(registry: Registry): Promise<void> {
  for (const name of ALWAYS_THERE) {
    if (registry.find(placeOf(name))) continue
    const object = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    }
    await registry.create(Namespace as Kind, undefined, object).catch((error: unknown) => {
      if (!(error instanceof StatusError && error.status.code === 409)) throw error
    })
  }
}

/** Throws unless `namespace` takes new objects. */
export function requireNamespace(registry: Registry, kind: Kind, namespace: string, name: string): void {
  const entry = registry.find(placeOf(namespace))
  if (entry === undefined) throw notFound(Namespace, namespace)
  if (objectOf(entry).metadata.deletionTimestamp === undefined) return
  const message = `${kind.plural} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  }
  throw new StatusError(403, 'Forbidden', message, { name, kind: kind.plural, causes: [cause] })
}

export function refuseProtected(kind: Kind, name: string): void {
  if (kind !== Namespace || !ALWAYS_THERE.includes(name)) return
  throw forbidden(`namespaces "${name}" is forbidden: this namespace may not be deleted`, kind, name)
}
