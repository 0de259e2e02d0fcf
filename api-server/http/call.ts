/** One request on its way through a verb's handler. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Format, JSON_FORMAT } from '../registry/change.ts'
import type { Place, Registry } from '../registry/registry.ts'
import { PARTIAL_FORMAT, tableFormat } from '../registry/table.ts'
import type { Access, Guard } from './access.ts'
import { negotiate, parseInclude } from './negotiate.ts'
import type { ResourceRequest } from './request-info.ts'
import type { WatchStreams } from './watch-streams.ts'

export interface ResourceDeps {
  readonly registry: Registry
  readonly access: Access
  readonly streams: WatchStreams
}

export interface Call extends ResourceDeps {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly target: ResourceRequest
  readonly query: URLSearchParams
  readonly guard: Guard | undefined
}

export function placeOf({ target: { kind, namespace, name = '' } }: Call): Place {
  return { kind, namespace, name }
}

export function formatOf({ request, query, target: { kind } }: Call): Format {
  const form = negotiate(request.headers.accept)
  if (form === 'table') return tableFormat(kind, parseInclude(query.get('includeObject')))
  return form === 'partial' ? PARTIAL_FORMAT : JSON_FORMAT
}

export function* map<T, U>(items: Iterable<T>, turn: (item: T) => U): Generator<U> {
  for (const item of items) yield turn(item)
}
