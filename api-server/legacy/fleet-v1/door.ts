/**
 * The fleet v1 door: what fleetctl speaks, over the registry alone. It keeps nothing: every call reads or writes Unit and
 * Machine objects, with the rights of whoever asks. Whoever hangs it on a listener says who that is.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { FLEET_V1_USER, type Identity } from '../../auth/identity.ts'
import type { Authorizer } from '../../auth/rbac/authorizer.ts'
import type { Registry } from '../../registry/registry.ts'
import { demandFor } from './access.ts'
import type { Answer, Call } from './call.ts'
import { DISCOVERY } from './discovery.ts'
import { listMachines, patchMachines } from './machines.ts'
import { Refusal, refusalBody, refusalOf } from './refusal.ts'
import { createBodyReader } from './request-body.ts'
import { getState, listStates } from './states.ts'
import { deleteUnit, getUnit, listUnits, putUnit } from './units.ts'

export interface FleetV1Options {
  readonly registry: Registry
  readonly authorizer: Authorizer
  readonly log: Logger
}

export interface FleetV1Door {
  /** Answers any request, in fleet's words; without an identity as `flotilla:legacy-fleet`. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse, identity?: Identity): void
}

/** Who reaches the door's own listener. */
const LOCAL: Identity = { user: FLEET_V1_USER, groups: ['system:authenticated'] }

export function createFleetV1Door({ registry, authorizer, log }: FleetV1Options): FleetV1Door {
  const bodies = createBodyReader()
  const serve = async (request: IncomingMessage, identity: Identity): Promise<Answer> => {
    const target = parseTarget(request.url ?? '/')
    const route = routeOf(target.path, request.method ?? 'GET')
    const demand = demandFor(authorizer, identity)
    // With several servers: what any of them has answered, this one shows.
    await registry.fresh.ensure()
    return route.serve({ registry, demand, bodies, request, query: target.query, item: route.item })
  }
  return {
    handle: (request, response, identity = LOCAL) => {
      serve(request, identity)
        .then(({ status, body }) => send(response, status, body === undefined ? '' : JSON.stringify(body)))
        .catch((error: unknown) => fail(request, response, error, log))
    },
  }
}

interface Target {
  readonly path: string
  readonly query: URLSearchParams
}

function parseTarget(url: string): Target {
  const at = url.indexOf('?')
  const path = at < 0 ? url : url.slice(0, at)
  return { path, query: new URLSearchParams(at < 0 ? '' : url.slice(at + 1)) }
}

type Serve = (call: Call) => Answer | Promise<Answer>

interface Resource {
  readonly verbs: Readonly<Record<string, Serve>>
  readonly otherwise: Pick<Refusal, 'code' | 'message'>
}

const only = (verbs: string) => ({ code: 405, message: `only ${verbs} supported against this resource` })

const COLLECTIONS: Readonly<Record<string, Resource>> = {
  units: { verbs: { GET: listUnits }, otherwise: only('GET') },
  state: { verbs: { GET: listStates }, otherwise: only('GET') },
  machines: { verbs: { GET: listMachines, PATCH: patchMachines }, otherwise: only('GET and PATCH') },
  discovery: { verbs: { GET: () => ({ status: 200, body: DISCOVERY }) }, otherwise: { code: 400, message: '' } },
}

const ITEMS: Readonly<Record<string, Resource>> = {
  units: { verbs: { GET: getUnit, PUT: putUnit, DELETE: deleteUnit }, otherwise: only('GET, PUT and DELETE') },
  state: { verbs: { GET: getState }, otherwise: only('GET') },
}

interface Route {
  readonly serve: Serve
  readonly item: string | undefined
}

/** `/v1-alpha` is the name that the API had first. */
export const BASES: readonly string[] = ['/fleet/v1', '/v1-alpha']

function routeOf(path: string, method: string): Route {
  const base = BASES.find((each) => path === each || path.startsWith(`${each}/`))
  if (path === '/' || path === base) throw new Refusal(405, '')
  const [collection = '', encoded, ...more] = path.slice((base ?? path).length + 1).split('/')
  const table = encoded === undefined ? COLLECTIONS : ITEMS
  const resource = Object.hasOwn(table, collection) ? table[collection] : undefined
  const item = encoded === undefined ? undefined : decoded(encoded)
  if (resource === undefined || more.length > 0 || item === '' || item?.includes('/')) throw new Refusal(404, '')
  const serve = Object.hasOwn(resource.verbs, method) ? resource.verbs[method] : undefined
  if (serve === undefined) throw new Refusal(resource.otherwise.code, resource.otherwise.message)
  return { serve, item }
}

/** Badly encoded is no name of anything. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return ''
  }
}

function fail(request: IncomingMessage, response: ServerResponse, error: unknown, log: Logger): void {
  if (response.destroyed || request.errored) return // the client has gone
  const refusal = refusalOf(error)
  if (refusal === undefined) log.error({ err: error, method: request.method, url: request.url }, 'a fleet call failed')
  const told = refusal ?? { code: 500, message: '' }
  send(response, told.code, refusalBody(told))
}

/** A body that nobody has read would be taken for the next request of its connection. */
function send(response: ServerResponse, status: number, body: string): void {
  if (response.destroyed) return
  const bytes = Buffer.from(body)
  const isCut = !response.req.complete && response.req.method !== 'GET'
  response.writeHead(status, {
    ...(status !== 204 && { 'Content-Length': bytes.length }),
    ...(bytes.length > 0 && { 'Content-Type': 'application/json' }),
    ...(isCut && { Connection: 'close' }),
    Server: 'fleetd/1.0.0',
  })
  response.end(response.req.method === 'HEAD' ? undefined : bytes)
}
