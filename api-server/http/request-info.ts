/** From a request's URL to what it is about: kind, namespace, name, subresource, verb. No decoding happens elsewhere. */
import type { Kind } from '../../crds/kind.ts'
import { badRequest, methodNotAllowed } from '../registry/errors.ts'
import { checkPathSegment } from '../registry/names.ts'
import type { ServedKinds } from '../registry/served-kinds.ts'

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

export interface ResourceRequest {
  readonly kind: Kind
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
  /** The legacy form `/watch/…` asks for a watch by its path. */
  readonly watchPath: boolean
}

/** Undefined where the path names no resource that is served (404). Throws 400 for segments that can name nothing. */
export function parseResourcePath(path: string, kinds: Pick<ServedKinds, 'find'>): ResourceRequest | undefined {
  const segments = path.split('/').slice(1).map(decodeSegment)
  const core = segments[0] === 'api'
  const [group, version] = core ? ['', segments[1]] : [segments[1], segments[2]]
  let rest = segments.slice(core ? 2 : 3)
  if (group === undefined || version === undefined) return undefined
  const watchPath = rest[0] === 'watch'
  if (watchPath) rest = rest.slice(1)
  const scoped =
    rest[0] === 'namespaces' && rest.length > 2 && kinds.find(group, version, rest[2] ?? '')?.scope === 'Namespaced'
  const namespace = scoped ? rest[1] : undefined
  const [plural = '', name, ...sub] = scoped ? rest.slice(2) : rest
  const kind = kinds.find(group, version, plural)
  if (kind === undefined || [namespace, name].includes('') || !fits(kind, namespace, name)) return undefined
  return { kind, namespace, name, subresource: sub.length > 0 ? sub.join('/') : undefined, watchPath }
}

/** A namespaced object needs its namespace; collections may be asked for over all of them. */
function fits(kind: Kind, namespace: string | undefined, name: string | undefined): boolean {
  return kind.scope === 'Cluster' ? namespace === undefined : namespace !== undefined || name === undefined
}

function decodeSegment(segment: string): string {
  const text = segment.includes('%') ? decodeStrictly(segment) : segment
  const wrong = checkPathSegment(text)
  if (wrong) throw badRequest(`invalid path segment ${JSON.stringify(text)}: ${wrong}`)
  return text
}

function decodeStrictly(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw badRequest(`invalid path segment ${JSON.stringify(segment)}: not valid percent-encoding`)
  }
}

/** The verb that authorization and audit know. Throws 405 (400 for a PUT on a collection). */
export function verbOf(method: string, target: ResourceRequest, query: URLSearchParams): Verb {
  const { name, subresource, watchPath } = target
  switch (method) {
    case 'GET':
      if (watchPath) return subresource === undefined ? 'watch' : refuseMethod()
      return name === undefined ? (isTrue(query.get('watch')) ? 'watch' : 'list') : 'get'
    case 'HEAD':
      return watchPath ? refuseMethod() : name === undefined ? 'list' : 'get'
    default:
      return watchPath ? refuseMethod() : writeVerbOf(method, target)
  }
}

function writeVerbOf(method: string, { name, subresource }: ResourceRequest): Verb {
  switch (method) {
    case 'POST':
      return name === undefined || subresource !== undefined ? 'create' : refuseMethod()
    case 'PUT':
      if (name === undefined) throw badRequest('name must be provided')
      return 'update'
    case 'PATCH':
      return name === undefined ? refuseMethod() : 'patch'
    case 'DELETE':
      return name === undefined ? 'deletecollection' : 'delete'
    default:
      return refuseMethod()
  }
}

function refuseMethod(): never {
  throw methodNotAllowed()
}

export function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1'
}
