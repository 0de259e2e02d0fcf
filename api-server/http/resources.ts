/** One handler for every verb on every kind: a new kind adds no route. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Kind } from '../../crds/kind.ts'
import { methodNotAllowed, notWhileEnding } from '../registry/errors.ts'
import type { Call, ResourceDeps } from './call.ts'
import { evict } from './eviction.ts'
import { get, list, watch } from './read-verbs.ts'
import { warningHeaders } from './reply.ts'
import { type ResourceRequest, type Verb, verbOf } from './request-info.ts'
import { create, patch, remove, removeAll, update } from './write-verbs.ts'

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

/** Subresources of one kind that are answered in their own way, by `plural/subresource`. */
const OWN_HANDLERS: ReadonlyMap<string, (call: Call) => Promise<void>> = new Map([['pods/eviction', evict]])

const SUBRESOURCE_VERBS: ReadonlyMap<string, readonly Verb[]> = new Map([
  ['status', ['get', 'update', 'patch']],
  ['scale', ['get', 'update', 'patch']],
  ['finalize', ['update']],
])

/** What a resource request is about and may do: known before its body is read. */
export interface Plan {
  readonly target: ResourceRequest
  readonly query: URLSearchParams
  readonly verb: Verb
  readonly guard: Call['guard']
}

/** Undefined where the object has no such subresource. Throws 401, 403 or 405. */
export function planResource(
  { access }: ResourceDeps,
  target: ResourceRequest,
  query: URLSearchParams,
  request: FastifyRequest,
): Plan | undefined {
  const verb = verbOf(request.method, target, query)
  const guard = access.authorize(request.raw, verb, target, query)
  if (!serves(target)) return undefined
  if (target.kind.isEnding && verb === 'create') throw notWhileEnding()
  if (!allows(target, verb)) throw methodNotAllowed(whyNot(target, verb))
  return { target, query, verb, guard }
}

/** Serves a request whose path names a resource. The reply is written to the socket directly. */
export async function serveResource(
  deps: ResourceDeps,
  { verb, ...plan }: Plan,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { kind, subresource } = plan.target
  if (kind.deprecation) reply.raw.setHeader('warning', warningHeaders([kind.deprecation]).warning ?? [])
  const handle = OWN_HANDLERS.get(`${kind.plural}/${subresource}`) ?? HANDLERS[verb]
  await handle({ ...deps, ...plan, request, reply })
}

function serves({ kind, name, subresource }: ResourceRequest): boolean {
  if (subresource === undefined) return true
  if (name === undefined) return false
  if (kind.subresources.some((one) => one.name === subresource)) return true
  if (subresource === 'finalize') return isNamespace(kind)
  return subresource === 'status' ? kind.status === true : subresource === 'scale' && kind.scale !== undefined
}

function allows({ kind, subresource }: ResourceRequest, verb: Verb): boolean {
  if (subresource === undefined) return kind.verbs.includes(verb)
  const own = kind.subresources.find((one) => one.name === subresource)
  return (own?.verbs ?? SUBRESOURCE_VERBS.get(subresource))?.includes(verb) ?? false
}

/** Kinds that nobody can make are named, because kubectl create does not say what it asked for. */
function whyNot({ kind, subresource }: ResourceRequest, verb: Verb): string | undefined {
  return verb === 'create' && subresource === undefined ? `no ${kind.kind} can be created here` : undefined
}

function isNamespace({ group, kind }: Kind): boolean {
  return group === '' && kind === 'Namespace'
}
