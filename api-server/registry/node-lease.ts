/**
 * `kubectl describe node` reads the Lease of the same name in `kube-node-lease`. A machine renews its own elsewhere, every
 * other second; that one is shown there, so that no second one need be written.
 */
import { MACHINE_LEASES } from '../../crds/group.ts'
import { Lease } from '../../crds/index.ts'
import type { ApiObject } from '../../crds/kind.ts'
import { type Entry, objectOf } from './entry.ts'
import type { Place, Registry } from './registry.ts'

/** A namespace of Kubernetes, where kubelets renew their leases. */
export const NODE_LEASES = 'kube-node-lease'

/** What a get of a node's lease shows; undefined for every other place, and where somebody has put a lease there. */
export function nodeLease(registry: Registry, place: Place): Entry | undefined {
  const { kind, namespace } = place
  if (namespace !== NODE_LEASES || kind.plural !== Lease.plural || kind.group !== Lease.group) return undefined
  if (registry.find(place) !== undefined) return undefined
  const source = registry.find({ ...place, namespace: MACHINE_LEASES })
  if (source === undefined) return undefined
  const lease = objectOf(source)
  const shown: ApiObject = { ...lease, metadata: { ...lease.metadata, namespace: NODE_LEASES } }
  return { ...source, namespace: NODE_LEASES, bytes: Buffer.from(JSON.stringify(shown)) }
}
