/** One handler for every verb on every kind: a new kind adds no route. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { noSuchPath } from '../registry/errors.ts'
import type { Call, ResourceDeps } from './call.ts'
import { get, list, watch } from './read-verbs.ts'
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
  if (!serves(target)) throw noSuchPath()
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
