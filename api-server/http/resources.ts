/** One handler for every verb on every kind: a new kind adds no route. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { type Format, JSON_FORMAT } from '../registry/change.ts'
import type { Entry } from '../registry/entry.ts'
import { methodNotAllowed, StatusError } from '../registry/errors.ts'
import { list as listEntries } from '../registry/list.ts'
import { refuseProtected, requireNamespace } from '../registry/namespaces.ts'
import { PATCH_TYPES, patchOf } from '../registry/patch/index.ts'
import { alignWithPath, type Subresource } from '../registry/prepare.ts'
import type { Place, Registry, Written } from '../registry/registry.ts'
import { fromScale, toScale } from '../registry/scale.ts'
import { PARTIAL_FORMAT, tableFormat, tableHead, tableWriter } from '../registry/table.ts'
import { watch as watchEntries } from '../registry/watch.ts'
import type { Access } from './access.ts'
import { decodeBody, mediaTypeOf } from './body.ts'
import { parseDeleteOptions } from './delete-options.ts'
import { negotiate, parseInclude } from './negotiate.ts'
import { parseListOptions, parseWatch, parseWrite } from './parameters.ts'
import { sendBytes, sendPieces, sendStatus, warningHeaders } from './reply.ts'
import { type ResourceRequest, type Verb, verbOf } from './request-info.ts'
import { WatchStream } from './watch-stream.ts'

export interface ResourceDeps {
  readonly registry: Registry
  readonly access: Access
  /** Open watches, for shutdown. */
  readonly streams: Set<WatchStream>
}

interface Call extends ResourceDeps {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly target: ResourceRequest
  readonly query: URLSearchParams
  readonly guard: ((object: ApiObject) => void) | undefined
}

const HANDLERS: Readonly<Record<Verb, (call: Call) => Promise<void> | void>> = {
  get,
  list,
  watch,
  create,
  update,
  patch,
  delete: remove,
  deletecollection: removeAll,
}

const SUBRESOURCES = new Set([undefined, 'status', 'scale', 'finalize'])

/** Serves a request whose path names a resource. The reply is written to the socket directly. */
export async function serveResource(
  deps: ResourceDeps,
  target: ResourceRequest,
  query: URLSearchParams,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const verb = verbOf(request.method, target, query)
  const guard = deps.access.authorize(request.raw.socket, verb, target)
  if (!serves(target)) throw new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})
  await HANDLERS[verb]({ ...deps, target, query, request, reply, guard })
}

function serves({ kind, name, subresource }: ResourceRequest): boolean {
  if (!SUBRESOURCES.has(subresource)) return false
  if (subresource === undefined) return true
  if (name === undefined) return false
  return subresource === 'status'
    ? kind.status === true
    : subresource === 'scale'
      ? kind.scale !== undefined
      : kind.kind === 'Namespace'
}

function placeOf({ target: { kind, namespace, name = '' } }: Call): Place {
  return { kind, namespace, name }
}

function formatOf({ request, query, target: { kind } }: Call): Format {
  const form = negotiate(request.headers.accept)
  if (form === 'table') return tableFormat(kind, parseInclude(query.get('includeObject')))
  return form === 'partial' ? PARTIAL_FORMAT : JSON_FORMAT
}

function get(call: Call): void {
  const entry = call.registry.get(placeOf(call))
  if (call.target.subresource === 'scale') sendBytes(call.reply.raw, 200, toScale(call.target.kind, entry.bytes))
  else sendBytes(call.reply.raw, 200, formatOf(call).render(entry))
}

async function list(call: Call): Promise<void> {
  const { registry, query, target, reply, request } = call
  const { kind } = target
  const form = negotiate(request.headers.accept)
  const { version, entries, continueToken, remaining } = await listEntries(
    registry,
    kind,
    parseListOptions(query, target),
  )
  const metadata = {
    resourceVersion: String(version),
    ...(continueToken && { continue: continueToken }),
    ...(remaining !== undefined && { remainingItemCount: remaining }),
  }
  if (form === 'table') {
    const include = parseInclude(query.get('includeObject'))
    const now = new Date()
    await sendPieces(
      reply.raw,
      tableHead(kind, metadata),
      map(entries, (entry) => tableWriter(kind).row(entry, include, now)),
      ']}\n',
    )
  } else {
    const [type, group] =
      form === 'partial' ? ['PartialObjectMetadata', 'meta.k8s.io/v1'] : [kind.kind, kind.apiVersion]
    const head = `{"kind":"${type}List","apiVersion":"${group}","metadata":${JSON.stringify(metadata)},"items":[`
    await sendPieces(
      reply.raw,
      head,
      map(entries, (entry) => (form === 'partial' ? PARTIAL_FORMAT.render(entry) : entry.bytes)),
      ']}\n',
    )
  }
}

function* map<T, U>(items: Iterable<T>, turn: (item: T) => U): Generator<U> {
  for (const item of items) yield turn(item)
}

async function watch(call: Call): Promise<void> {
  const { registry, query, target, reply, streams } = call
  const { filter, after, bookmarks, initialEventsEnd, timeoutMs } = parseWatch(query, target)
  const format = formatOf(call)
  const stream = new WatchStream(reply.raw, {
    bookmarks,
    kind: target.kind,
    timeoutMs,
    version: () => registry.feed.revision,
  })
  streams.add(stream)
  stream.onClose(() => streams.delete(stream))
  try {
    const subscription = await watchEntries(registry, target.kind, { ...filter, after, format }, (line) =>
      stream.send(line),
    )
    stream.onClose(() => {
      subscription.cancel()
      streams.delete(stream)
    })
    for (const line of subscription.initial) stream.send(line)
    if (initialEventsEnd) stream.bookmark({ 'k8s.io/initial-events-end': 'true' })
  } catch (error) {
    // Once a watch has begun its errors are events; anything but 410 would stop a client-node informer for good.
    if (!(error instanceof StatusError)) throw error
    stream.send(Buffer.from(`${JSON.stringify({ type: 'ERROR', object: error.status })}\n`))
    stream.end()
  }
}

async function bodyOf(call: Call): Promise<{ value: unknown; duplicates: readonly string[]; mediaType: string }> {
  const mediaType = mediaTypeOf(call.request.headers['content-type'])
  return { ...(await decodeBody(call.request.body, mediaType)), mediaType }
}

async function create(call: Call): Promise<void> {
  const { registry, target, query, guard } = call
  const { kind, namespace } = target
  if (kind.scope === 'Namespaced' && namespace === undefined) throw methodNotAllowed()
  const { value, duplicates } = await bodyOf(call)
  const object = alignWithPath(kind, value, namespace, undefined)
  if (namespace !== undefined) requireNamespace(registry, kind, namespace, object.metadata.name)
  const written = await registry.create(kind, namespace, object, {
    ...parseWrite(query),
    strayFields: duplicates,
    guard,
  })
  sendWritten(call, 201, written)
}

async function update(call: Call): Promise<void> {
  const { registry, target, query, guard } = call
  const { kind, namespace, name } = target
  const { value, duplicates } = await bodyOf(call)
  const change = (current: ApiObject): ApiObject => {
    if (target.subresource === 'scale') return fromScale(kind, current, value)
    const next = alignWithPath(kind, structuredClone(value), namespace, name)
    if (isOwn(kind) && target.subresource === undefined && !next.metadata.resourceVersion)
      throw needsVersion(kind, name)
    return next
  }
  const written = await registry.update(placeOf(call), change, subresourceOf(target), {
    ...parseWrite(query),
    strayFields: duplicates,
    guard,
  })
  sendWritten(call, 200, written)
}

function needsVersion(kind: Kind, name = ''): StatusError {
  const cause = {
    reason: 'FieldValueInvalid',
    message: 'Invalid value: 0x0: must be specified for an update',
    field: 'metadata.resourceVersion',
  }
  const details = { name, group: kind.group, kind: kind.kind, causes: [cause] }
  return new StatusError(
    422,
    'Invalid',
    `${kind.plural}.${kind.group} "${name}" is invalid: ${cause.field}: ${cause.message}`,
    details,
  )
}

async function patch(call: Call): Promise<void> {
  const { registry, target, query, guard } = call
  const { kind, namespace, name } = target
  const mediaType = mediaTypeOf(call.request.headers['content-type'])
  if (!PATCH_TYPES.some((type) => type === mediaType)) patchOf(kind, mediaType, undefined)
  const { value, duplicates } = await bodyOf(call)
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
    ...parseWrite(query),
    strayFields: duplicates,
    guard,
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

/** Kinds that a kube-apiserver would hold as custom resources: their rules differ a little from built-in ones. */
function isOwn(kind: Kind): boolean {
  return kind.group.includes('.') && !kind.group.endsWith('.k8s.io')
}

async function remove(call: Call): Promise<void> {
  const { registry, target, query, guard } = call
  const options = parseDeleteOptions(query, (await optionalBody(call)) ?? {})
  const place = placeOf(call)
  registry.get(place)
  refuseProtected(target.kind, place.name)
  const { bytes, gone } = await registry.delete(place, { ...options, guard })
  if (!gone) return sendBytes(call.reply.raw, 200, bytes)
  const { uid } = (JSON.parse(bytes.toString()) as ApiObject).metadata
  const details = {
    name: place.name,
    ...(target.kind.group !== '' && { group: target.kind.group }),
    kind: target.kind.plural,
    ...(uid && { uid }),
  }
  sendStatus(call.reply.raw, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details })
}

async function removeAll(call: Call): Promise<void> {
  const { registry, target, query, reply, guard } = call
  const options = parseDeleteOptions(query, (await optionalBody(call)) ?? {})
  const { entries, version } = await listEntries(registry, target.kind, parseListOptions(query, target))
  const deleted: Entry[] = []
  for (const entry of [...entries]) {
    await registry
      .delete({ kind: target.kind, namespace: entry.namespace, name: entry.name }, { ...options, guard })
      .catch(ignoreGone)
    deleted.push(entry)
  }
  const head = `{"kind":"${target.kind.kind}List","apiVersion":"${target.kind.apiVersion}","metadata":{"resourceVersion":"${version}"},"items":[`
  await sendPieces(
    reply.raw,
    head,
    map(deleted, (entry) => entry.bytes),
    ']}\n',
  )
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof StatusError && error.status.code === 404)) throw error
}

async function optionalBody(call: Call): Promise<unknown> {
  const { body } = call.request
  return Buffer.isBuffer(body) && body.length > 0 ? (await bodyOf(call)).value : undefined
}

function sendWritten(call: Call, code: number, { bytes, warnings }: Written): void {
  const headers = warningHeaders(warnings)
  if (call.target.subresource === 'scale')
    return sendBytes(call.reply.raw, code, toScale(call.target.kind, bytes), headers)
  if (!wantsOtherForm(call.request.headers.accept)) return sendBytes(call.reply.raw, code, bytes, headers)
  const place = { ...placeOf(call), name: (JSON.parse(bytes.toString()) as ApiObject).metadata.name }
  const entry = call.registry.find(place)
  sendBytes(call.reply.raw, code, entry ? formatOf(call).render(entry) : bytes, headers)
}

function wantsOtherForm(accept: string | undefined): boolean {
  return accept?.includes('as=') ?? false
}
