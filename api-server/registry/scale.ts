/** The scale subresource: a kind's replica counts in the shape that `kubectl scale` reads and writes. */
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { badRequest, invalid, invalidValue, shown } from './errors.ts'
import { jsonPath } from './json-path.ts'
import { isObject } from './patch/merge.ts'

export function toScale(kind: Kind, bytes: Buffer): string {
  const object = JSON.parse(bytes.toString()) as ApiObject
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const count = (path: string | undefined) => (path === undefined ? 0 : Number(jsonPath(path)(object) ?? 0))
  return JSON.stringify({
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: count(kind.scale?.specReplicasPath) },
    status: { replicas: count(kind.scale?.statusReplicasPath), ...selectorOf(kind, object) },
  })
}

function selectorOf(kind: Kind, object: ApiObject): { readonly selector?: string } {
  const path = kind.scale?.labelSelectorPath
  const selector = path === undefined ? undefined : jsonPath(path)(object)
  return typeof selector === 'string' ? { selector } : {}
}

/** `current` with the replica count of a Scale; the Scale's version, if any, is the version meant. Throws 400, 422. */
export function fromScale(kind: Kind, current: ApiObject, scale: unknown): ApiObject {
  const { spec, version } = readScale(scale, current.metadata.name)
  const replicas = isObject(spec) ? (spec.replicas ?? 0) : 0
  if (!Number.isInteger(replicas)) throw badRequest('spec.replicas of a Scale must be a whole number')
  if (Number(replicas) < 0)
    throw invalid(kind, current.metadata.name, [
      invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ])
  const { resourceVersion: _version, ...metadata } = current.metadata
  return {
    ...withReplicas(current, replicaFields(kind), replicas),
    metadata: { ...metadata, ...(version && version !== _version && { resourceVersion: version }) },
  }
}

/** Where the kind keeps how many are wanted: `spec`, `replicas`. */
export function replicaFields({ scale }: Kind): string[] {
  return scale?.specReplicasPath.split('.').slice(1) ?? []
}

function withReplicas<T>(object: T, [field, ...rest]: readonly string[], replicas: unknown): T {
  if (field === undefined) return object
  const inner = (object as Readonly<Record<string, unknown>> | undefined)?.[field]
  return { ...object, [field]: rest.length === 0 ? replicas : withReplicas(inner ?? {}, rest, replicas) }
}

function readScale(scale: unknown, name: string): { readonly spec: unknown; readonly version: string | undefined } {
  if (!isObject(scale)) throw badRequest('the object provided is unrecognized (must be of type Scale)')
  const { apiVersion = 'autoscaling/v1', kind = 'Scale', metadata, spec } = scale
  if (kind !== 'Scale' || apiVersion !== 'autoscaling/v1')
    throw badRequest(`expected autoscaling/v1, Kind=Scale, got ${shown(apiVersion)}, Kind=${shown(kind)}`)
  const meta = isObject(metadata) ? metadata : {}
  if ((meta.name ?? name) !== name)
    throw badRequest(`the name of the object (${shown(meta.name)}) does not match the name on the URL (${name})`)
  const version = meta.resourceVersion ?? undefined
  if (version !== undefined && typeof version !== 'string')
    throw badRequest('metadata.resourceVersion must be a string')
  return { spec, version }
}
