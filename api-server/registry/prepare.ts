/**
 * What the server itself decides about an object on its way in: identity, timestamps, generation, and which part of
 * the old object a write may not touch. Pure: time and ids are arguments.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ApiObject, Kind, Metadata } from '../../crds/kind.ts'
import { badRequest, type Cause, conflict, invalid } from './errors.ts'
import { generatedName } from './names.ts'

export type Subresource = 'status' | undefined

export interface Stamp {
  readonly uid: string
  readonly now: Date
}

export function timestamp(now: Date): string {
  return `${now.toISOString().slice(0, 19)}Z`
}

/** Fills in what the URL says and refuses what contradicts it. */
export function alignWithPath(
  kind: Kind,
  input: unknown,
  namespace: string | undefined,
  name: string | undefined,
): ApiObject {
  if (input === null || typeof input !== 'object' || Array.isArray(input))
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind.kind}): json: the body must be an object`,
    )
  const { apiVersion = kind.apiVersion, kind: type = kind.kind, ...rest } = input as Partial<ApiObject>
  if (type !== kind.kind || apiVersion !== kind.apiVersion)
    throw badRequest(
      `the API version in the data (${String(apiVersion)}, Kind=${String(type)}) does not match the expected API version (${kind.apiVersion}, Kind=${kind.kind})`,
    )
  const metadata = alignMetadata(rest.metadata, namespace, name)
  return { apiVersion, kind: type, ...rest, metadata }
}

const IDENTITY_FIELDS = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion'] as const

function alignMetadata(input: unknown, namespace: string | undefined, name: string | undefined): Metadata {
  if (input !== undefined && (input === null || typeof input !== 'object' || Array.isArray(input)))
    throw badRequest('metadata must be an object')
  const metadata = { ...(input as Metadata | undefined) } as Metadata
  for (const field of IDENTITY_FIELDS)
    if (typeof (metadata[field] ?? '') !== 'string') throw badRequest(`metadata.${field} must be a string`)
  if (name !== undefined && (metadata.name ?? name) !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
  // Whoever names a namespace for an object that is in none means none: Kubernetes clears it, too.
  if (namespace !== undefined && (metadata.namespace || namespace) !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  if (name !== undefined) metadata.name = name
  delete metadata.namespace
  return namespace === undefined ? metadata : { ...metadata, namespace }
}

export function prepareCreate(kind: Kind, object: ApiObject, { uid, now }: Stamp): void {
  const { metadata } = object
  if (metadata.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created')
  if (!metadata.name && typeof metadata.generateName === 'string' && metadata.generateName !== '')
    metadata.name = generatedName(metadata.generateName)
  clean(metadata)
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.generation
  Object.assign(metadata, {
    uid,
    creationTimestamp: timestamp(now),
    ...(kind.generation !== false && { generation: 1 }),
  })
  if (kind.status) delete object.status
  kind.complete?.(object, undefined)
}

/** The object that a write of `next` over `current` means; `next` may be changed. Throws 409 where identity differs. */
export function prepareUpdate(kind: Kind, current: ApiObject, next: ApiObject, subresource: Subresource): ApiObject {
  if (subresource === 'status') {
    const { status: _status, ...rest } = current
    return next.status === undefined ? (rest as ApiObject) : { ...(rest as ApiObject), status: next.status }
  }
  const { metadata } = next
  if (metadata.uid && metadata.uid !== current.metadata.uid)
    throw conflict(
      kind,
      current.metadata.name,
      `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${current.metadata.uid}`,
    )
  clean(metadata)
  keepServerFields(metadata, current.metadata)
  if (kind.status) {
    delete next.status
    if (current.status !== undefined) next.status = current.status
  }
  kind.complete?.(next, current)
  checkFinalizers(kind, current, next)
  return next
}

/**
 * Raises the generation, where the kind has one, if anything beside metadata and status changed; where `status` is no
 * subresource it is a field like any other. Call after defaults are filled.
 */
export function settleGeneration(kind: Kind, current: ApiObject, next: ApiObject): void {
  const { generation } = current.metadata
  if (generation === undefined) return
  const desired = ({ metadata: _metadata, status, ...rest }: ApiObject) => (kind.status ? rest : { ...rest, status })
  const isSame = isDeepStrictEqual(desired(current), desired(next))
  next.metadata.generation = isSame ? generation : generation + 1
}

/** Whether storing `next` would change nothing. */
export function isNoOp(current: ApiObject, next: ApiObject): boolean {
  const withoutVersion = ({ metadata: { resourceVersion: _version, ...metadata }, ...rest }: ApiObject) => ({
    ...rest,
    metadata,
  })
  return isDeepStrictEqual(withoutVersion(current), withoutVersion(next))
}

/** Null and empty mean absent; what only old servers or other versions keep is not stored. */
function clean(metadata: Metadata): void {
  for (const [field, value] of Object.entries(metadata))
    if (value === null || value === '') delete metadata[field as keyof Metadata]
  for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const) {
    const value = metadata[field]
    if (value !== undefined && typeof value === 'object' && Object.keys(value).length === 0) delete metadata[field]
  }
  delete metadata.selfLink
  delete metadata.managedFields
}

const SERVER_FIELDS = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'generateName',
] as const

function keepServerFields(metadata: Metadata, current: Metadata): void {
  for (const field of SERVER_FIELDS) {
    delete metadata[field]
    if (current[field] !== undefined) Object.assign(metadata, { [field]: current[field] })
  }
}

function checkFinalizers(kind: Kind, current: ApiObject, next: ApiObject): void {
  if (current.metadata.deletionTimestamp === undefined) return
  const known = new Set(current.metadata.finalizers)
  const added = (next.metadata.finalizers ?? []).filter((finalizer) => !known.has(finalizer))
  if (added.length === 0) return
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`
  const cause: Cause = { reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' }
  throw invalid(kind, current.metadata.name, [cause])
}
