/** create, update, patch, delete, deletecollection. */
import { type ApiObject, type Kind, qualifiedResource } from '../../crds/kind.ts'
import { type Entry, entryMaker } from '../registry/entry.ts'
import { methodNotAllowed, type Status, StatusError } from '../registry/errors.ts'
import { list as listEntries } from '../registry/list.ts'
import { refuseProtected, requireNamespace } from '../registry/namespaces.ts'
import { PATCH_TYPES, patchOf } from '../registry/patch/index.ts'
import { alignWithPath, type Subresource } from '../registry/prepare.ts'
import type { Written } from '../registry/registry.ts'
import { fromScale, toScale } from '../registry/scale.ts'
import { APPLY_PATCH, applyPatch } from './apply-verb.ts'
import { type Body, decodeBody, mediaTypeOf } from './body.ts'
import { type Call, formatOf, map, placeOf } from './call.ts'
import { parseDeleteOptions } from './delete-options.ts'
import { evictUnit } from './drain-view.ts'
import { ownershipOf } from './field-manager.ts'
import { parseListOptions, parseWrite } from './parameters.ts'
import { sendBytes, sendPieces, sendStatus, warningHeaders } from './reply.ts'
import type { ResourceRequest } from './request-info.ts'
import { versionIn } from './request-record.ts'

async function bodyOf({ request, target }: Call, type = target.kind.kind): Promise<Body> {
  return decodeBody(request.body, mediaTypeOf(request.headers['content-type']), type)
}

export async function create(call: Call): Promise<void> {
  const { registry, target, query, guard } = call
  const { kind, namespace } = target
  if (kind.scope === 'Namespaced' && namespace === undefined) throw methodNotAllowed()
  const { value, duplicates } = await bodyOf(call)
  const object = alignWithPath(kind, value, namespace, undefined)
  if (namespace !== undefined) requireNamespace(registry, kind, namespace, object.metadata.name)
  const written = await registry.create(kind, namespace, object, {
    ...parseWrite(query, 'CreateOptions'),
    strayFields: duplicates,
    guard,
    ownership: ownershipOf(call, 'CreateOptions'),
  })
  sendWritten(call, 201, written)
}

export async function update(call: Call): Promise<void> {
  const { registry, target, query, guard } = call
  const { kind, namespace, name } = target
  const { value, duplicates } = await bodyOf(call)
  const change = (current: ApiObject): ApiObject => {
    if (target.subresource === 'scale') return fromScale(kind, current, value)
    const next = alignWithPath(kind, structuredClone(value), namespace, name)
    if (!kind.unconditionalUpdate && target.subresource === undefined && !next.metadata.resourceVersion)
      throw needsVersion(kind, name)
    return next
  }
  const written = await registry.update(placeOf(call), change, subresourceOf(target), {
    ...parseWrite(query, 'UpdateOptions'),
    strayFields: duplicates,
    guard,
    ownership: ownershipOf(call, 'UpdateOptions'),
  })
  sendWritten(call, 200, written)
}

function needsVersion(kind: Kind, name = ''): StatusError {
  const cause = {
    reason: 'FieldValueInvalid',
    message: 'Invalid value: 0x0: must be specified for an update',
    field: 'metadata.resourceVersion',
  }
  // The plural: Kubernetes says it so here, and nowhere else.
  const details = { name, ...(kind.group !== '' && { group: kind.group }), kind: kind.plural, causes: [cause] }
  return new StatusError(
    422,
    'Invalid',
    `${qualifiedResource(kind)} "${name}" is invalid: ${cause.field}: ${cause.message}`,
    details,
  )
}

export async function patch(call: Call): Promise<void> {
  const { registry, target, query, guard } = call
  const { kind, namespace, name } = target
  const mediaType = mediaTypeOf(call.request.headers['content-type'])
  if (!PATCH_TYPES.some((type) => type === mediaType)) patchOf(kind, mediaType, undefined)
  const body = await bodyOf(call)
  if (mediaType === APPLY_PATCH) {
    const { code, written } = await applyPatch(call, body)
    return sendWritten(call, code, written)
  }
  const { value, duplicates } = body
  const apply = patchOf(kind, mediaType, value)
  const change = (current: ApiObject): ApiObject => {
    if (target.subresource === 'scale')
      return fromScale(kind, current, apply(JSON.parse(toScale(kind, Buffer.from(JSON.stringify(current))))))
    const given = current.metadata.resourceVersion
    const next = alignWithPath(kind, apply(current), namespace, name)
    // A patch that leaves the version alone means "whatever it is now": it is worked out again if somebody is faster.
    if (next.metadata.resourceVersion === given && !namesVersion(value)) delete next.metadata.resourceVersion
    return next
  }
  const written = await registry.update(placeOf(call), change, subresourceOf(target), {
    ...parseWrite(query, 'PatchOptions'),
    strayFields: duplicates,
    guard,
    ownership: ownershipOf(call, 'PatchOptions'),
  })
  sendWritten(call, 200, written)
}

function namesVersion(patch: unknown): boolean {
  if (Array.isArray(patch))
    return patch.some((operation: { path?: unknown } | null) => operation?.path === '/metadata/resourceVersion')
  return (patch as Partial<ApiObject> | null)?.metadata?.resourceVersion !== undefined
}

function subresourceOf({ subresource }: ResourceRequest): Subresource {
  return subresource === 'status' ? 'status' : undefined
}

export async function remove(call: Call): Promise<void> {
  const { registry, target, query, guard } = call
  const options = parseDeleteOptions(query, (await optionalBody(call)) ?? {})
  const place = placeOf(call)
  // kubectl drain --disable-eviction
  if (await evictUnit(call, options.dryRun === true)) return sendStatus(call.reply.raw, SUCCESS)
  registry.get(place)
  refuseProtected(target.kind, place.name)
  const { bytes, gone } = await registry.delete(place, { ...options, guard })
  noteWritten(call, { bytes, name: place.name })
  if (!gone) {
    sendBytes(call.reply.raw, 200, bytes)
    return
  }
  const { uid } = (JSON.parse(bytes.toString()) as ApiObject).metadata
  const details = {
    name: place.name,
    ...(target.kind.group !== '' && { group: target.kind.group }),
    kind: target.kind.plural,
    ...(uid && { uid }),
  }
  sendStatus(call.reply.raw, { ...SUCCESS, details })
}

const SUCCESS: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }

/** How many deletions of a collection wait for the disk together. */
const DELETE_TOGETHER = 64

export async function removeAll(call: Call): Promise<void> {
  const { registry, target, query, reply, guard } = call
  const { kind } = target
  const options = parseDeleteOptions(query, (await optionalBody(call)) ?? {})
  const { entries, version, continueToken } = await listEntries(registry, kind, parseListOptions(query, target))
  const deleted: string[] = []
  if (call.request.record) call.request.record.deleted = deleted
  const remove = ({ namespace, name }: Entry) =>
    registry
      .delete({ kind, namespace, name }, { ...options, guard })
      .then(() => deleted.push(namespace === undefined ? name : `${namespace}/${name}`), ignoreGone)
  for (let at = 0; at < entries.length; at += DELETE_TOGETHER)
    await Promise.all(entries.slice(at, at + DELETE_TOGETHER).map(remove))
  const metadata = { resourceVersion: String(version), ...(continueToken && { continue: continueToken }) }
  const head = `{"kind":"${kind.kind}List","apiVersion":"${kind.apiVersion}","metadata":${JSON.stringify(metadata)},"items":[`
  await sendPieces(
    reply.raw,
    head,
    map(entries, (entry) => entry.bytes),
    ']}\n',
  )
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof StatusError && error.status.code === 404)) throw error
}

async function optionalBody(call: Call): Promise<unknown> {
  const { body } = call.request
  return Buffer.isBuffer(body) && body.length > 0 ? (await bodyOf(call, 'DeleteOptions')).value : undefined
}

/** For the audit log. */
function noteWritten({ request }: Call, { bytes, name }: Pick<Written, 'bytes' | 'name'>): void {
  if (request.record) request.record.wrote = { name, resourceVersion: versionIn(bytes) }
}

function sendWritten(call: Call, code: number, written: Written): void {
  const { bytes, warnings } = written
  const { deprecation } = call.target.kind
  noteWritten(call, written)
  const all = deprecation && warnings.length > 0 ? [deprecation, ...warnings] : warnings
  sendBytes(call.reply.raw, code, shown(call, bytes), warningHeaders(all))
}

/** The form that was asked for; the stored object unless the client wants something else. */
function shown(call: Call, bytes: Buffer): Buffer | string {
  const { kind, subresource } = call.target
  if (subresource === 'scale') return toScale(kind, bytes)
  if (!wantsOtherForm(call.request.headers.accept)) return bytes
  const { resourceVersion = '0' } = (JSON.parse(bytes.toString()) as ApiObject).metadata
  return formatOf(call).render(entryMaker(kind)('', bytes, BigInt(resourceVersion)))
}

function wantsOtherForm(accept: string | undefined): boolean {
  return accept?.includes('as=') ?? false
}
