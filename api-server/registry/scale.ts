/** The scale subresource: a kind's replica counts in the shape that `kubectl scale` reads and writes. */
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { badRequest, invalid } from './errors.ts'
import { jsonPath } from './json-path.ts'

export function toScale(kind: Kind, bytes: Buffer): string {
  const object = JSON.parse(bytes.toString()) as ApiObject
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const count = (path: string | undefined) => (path === undefined ? 0 : Number(jsonPath(path)(object) ?? 0))
  return JSON.stringify({
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: count(kind.scale?.specReplicasPath) },
    status: { replicas: count(kind.scale?.statusReplicasPath) },
  })
}

/** `current` with the replica count of a Scale; the Scale's version, if any, is the version meant. */
export function fromScale(kind: Kind, current: ApiObject, scale: unknown): ApiObject {
  const { spec, metadata } = (scale ?? {}) as { spec?: { replicas?: unknown }; metadata?: { resourceVersion?: string } }
  const replicas = spec?.replicas
  if (replicas !== undefined && !Number.isInteger(replicas))
    throw badRequest('spec.replicas of a Scale must be a whole number')
  if (Number(replicas) < 0) {
    const message = `Invalid value: ${String(replicas)}: must be greater than or equal to 0`
    throw invalid(kind, current.metadata.name, [{ reason: 'FieldValueInvalid', message, field: 'spec.replicas' }])
  }
  const next = {
    ...current,
    metadata: { ...current.metadata },
    spec: { ...(current.spec as object), replicas: replicas ?? 0 },
  }
  delete next.metadata.resourceVersion
  if (metadata?.resourceVersion && metadata.resourceVersion !== current.metadata.resourceVersion)
    next.metadata.resourceVersion = metadata.resourceVersion
  return next
}
