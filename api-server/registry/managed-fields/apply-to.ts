/** An apply request on an object of a kind: which part of the configuration counts, and what comes of it. */
import type { ApiObject, Kind } from '../../../crds/kind.ts'
import { applyConfiguration } from './apply.ts'
import { storedEntries } from './entries.ts'
import type { FieldSet } from './field-set.ts'
import { fieldsLastApplied, KUBECTL, withLastApplied } from './last-applied.ts'
import { objectType } from './schema.ts'
import { ownerOf, type Writer } from './track.ts'

export interface ApplyRequest {
  readonly kind: Kind
  /** As `configurationOf` gives it. */
  readonly config: ApiObject
  readonly writer: Writer
  readonly force: boolean
  /** RFC 3339, whole seconds. */
  readonly time: string
}

/** What of an applied object its manager may mean: through `status` the status alone, else everything but that. */
export function configurationOf(kind: Kind, object: ApiObject, subresource: string | undefined): ApiObject {
  const { apiVersion, kind: type, metadata, status, ...rest } = object
  if (subresource !== 'status') return kind.status ? { apiVersion, kind: type, metadata, ...rest } : object
  const { name, namespace, uid, resourceVersion } = metadata
  const identity = {
    name,
    ...(namespace && { namespace }),
    ...(uid && { uid }),
    ...(resourceVersion && { resourceVersion }),
  }
  return { apiVersion, kind: type, metadata: identity, ...(status !== undefined && { status }) }
}

/**
 * What `live` becomes, with its managedFields; undefined `live`: the object is being made. Nothing given is changed.
 * Throws 409 for conflicts, 400 for a configuration that cannot be merged.
 */
export function applyTo(live: ApiObject | undefined, { kind, config, writer, force, time }: ApplyRequest): ApiObject {
  const { name, namespace = '' } = config.metadata
  const type = objectType(kind)
  const isKubectl = writer.manager === KUBECTL && writer.subresource === undefined
  const { object, entries } = applyConfiguration({
    type,
    live,
    config,
    entries: storedEntries(live?.metadata.managedFields),
    owner: ownerOf(kind, 'Apply', writer),
    force,
    allowed: (): FieldSet => (isKubectl && live ? fieldsLastApplied(type, live) : {}),
    time,
    title: `${namespace}/${name}; ${kind.apiVersion}, Kind=${kind.kind}`,
  })
  const made = object as unknown as ApiObject
  const applied = isKubectl ? withLastApplied(made, config) : made
  const { resourceVersion: _version, ...metadata } = applied.metadata
  const expected = config.metadata.resourceVersion
  return {
    ...applied,
    metadata: { ...metadata, ...(expected && { resourceVersion: expected }), managedFields: [...entries] },
  }
}
