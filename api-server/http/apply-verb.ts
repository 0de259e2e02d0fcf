/** PATCH `application/apply-patch+yaml`: server-side apply of a configuration in YAML or JSON, on an object or a new one. */
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { badRequest, conflict, StatusError, unsupportedMediaType } from '../registry/errors.ts'
import { type ApplyRequest, applyTo, configurationOf } from '../registry/managed-fields/apply-to.ts'
import { AS_APPLIED } from '../registry/managed-fields/track.ts'
import { requireNamespace } from '../registry/namespaces.ts'
import { PATCH_TYPES } from '../registry/patch/index.ts'
import { alignWithPath, timestamp } from '../registry/prepare.ts'
import type { WriteOptions, Written } from '../registry/registry.ts'
import { replicaFields } from '../registry/scale.ts'
import type { Body } from './body.ts'
import { type Call, placeOf } from './call.ts'
import { applierOf, isForced } from './field-manager.ts'
import { parseWrite } from './parameters.ts'

export const APPLY_PATCH = 'application/apply-patch+yaml'

export interface AppliedPatch {
  /** 201 when the object was made. */
  readonly code: 200 | 201
  readonly written: Written
}

/** How often an object that comes or goes meanwhile is looked for again. */
const MAX_ATTEMPTS = 4

export async function applyPatch(call: Call, body: Body): Promise<AppliedPatch> {
  const { registry, target } = call
  if (target.subresource !== undefined && !SUBRESOURCES.has(target.subresource)) throw unsupportedMediaType(PATCH_TYPES)
  const apply = applying(call, body)
  apply.request() // what is wrong with the request is wrong whether there is such an object or not
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const isNew = target.subresource === undefined && registry.find(placeOf(call)) === undefined
    const applied = await (isNew ? create(apply) : update(apply))
    if (applied !== undefined) return applied
  }
  throw conflict(target.kind, target.name ?? '')
}

const SUBRESOURCES = new Set(['status', 'scale'])

interface Applying {
  readonly call: Call
  readonly options: WriteOptions
  /** The configuration anew for every attempt: what comes of it may be changed on its way to the store. */
  readonly request: () => ApplyRequest
}

function applying(call: Call, body: Body): Applying {
  const writer = applierOf(call)
  const force = isForced(call)
  const { kind } = call.target
  return {
    call,
    options: { ...parseWrite(call.query, 'PatchOptions'), strayFields: body.duplicates, ownership: AS_APPLIED },
    request: () => ({ kind, config: configOf(call, body.value), writer, force, time: timestamp(new Date()) }),
  }
}

/** Undefined: the object has gone meanwhile. */
async function update({ call, options, request }: Applying): Promise<AppliedPatch | undefined> {
  const { registry, guard, target } = call
  const change = (live: ApiObject): ApiObject => applyTo(live, request())
  const part = target.subresource === 'status' ? 'status' : undefined
  try {
    return { code: 200, written: await registry.update(placeOf(call), change, part, { ...options, guard }) }
  } catch (error) {
    if (target.subresource === undefined && isA(error, 'NotFound')) return undefined
    throw error
  }
}

/** Undefined: somebody has made it meanwhile. */
async function create({ call, options, request }: Applying): Promise<AppliedPatch | undefined> {
  const { registry, target } = call
  const { kind, namespace, name = '' } = target
  const guard = call.access.authorize(call.request.raw, 'create', target)
  const made = applyTo(undefined, request())
  refuseIdentity(kind, made)
  if (namespace !== undefined) requireNamespace(registry, kind, namespace, name)
  try {
    return { code: 201, written: await registry.create(kind, namespace, made, { ...options, guard }) }
  } catch (error) {
    if (isA(error, 'AlreadyExists')) return undefined
    throw error
  }
}

function isA(error: unknown, reason: string): boolean {
  return error instanceof StatusError && error.status.reason === reason
}

function configOf({ target }: Call, value: unknown): ApiObject {
  const { kind, namespace, name = '', subresource } = target
  if (subresource === 'scale') return replicasOf(kind, namespace, name, value)
  const object = alignWithPath(kind, structuredClone(value), namespace, name)
  if (object.metadata.managedFields !== undefined && object.metadata.managedFields !== null)
    throw badRequest('metadata.managedFields must be nil')
  return configurationOf(kind, object, subresource)
}

/** A Scale says one thing of the object: how many. */
function replicasOf(kind: Kind, namespace: string | undefined, name: string, value: unknown): ApiObject {
  const replicas = (value as { spec?: { replicas?: unknown } } | null)?.spec?.replicas
  if (!Number.isInteger(replicas)) throw badRequest('spec.replicas of a Scale must be a whole number')
  const fields = replicaFields(kind).reduceRight<unknown>((inner, field) => ({ [field]: inner }), replicas)
  const metadata = { name, ...(namespace !== undefined && { namespace }) }
  return { apiVersion: kind.apiVersion, kind: kind.kind, metadata, ...(fields as object) }
}

/** Who names an object's uid means that object, not a new one of its name. */
function refuseIdentity(kind: Kind, { metadata: { name, uid } }: ApiObject): void {
  if (!uid) return
  const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`
  throw conflict(kind, name, why)
}
