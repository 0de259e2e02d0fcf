/**
 * The HTTP face of the registry: TLS, who is calling, which handler. Built from its dependencies and returned; main.ts
 * listens. Resource paths go to one generic handler, so nothing here knows a kind.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { KeyPair } from '../auth/key-pair.ts'
import { methodNotAllowed, noSuchPath, StatusError } from '../registry/errors.ts'
import type { Registry } from '../registry/registry.ts'
import { createAccess } from './access.ts'
import type { AgentProxy } from './agent-proxy.ts'
import { nextRequestId } from './audit-record.ts'
import { Backups } from './backup.ts'
import { mediaTypeOf } from './body.ts'
import type { ResourceDeps } from './call.ts'
import { planControlPlane } from './control-plane.ts'
import { createDiscovery } from './discovery.ts'
import { type Documents, serveDocument } from './documents.ts'
import { endWithFailure, sendFailure } from './failure.ts'
import { InFlight } from './in-flight.ts'
import type { LegacyDoor } from './legacy-door.ts'
import { createOpenApi } from './openapi.ts'
import { PROTOBUF, refuseProtobuf } from './protobuf/index.ts'
import { followToItsEnd, identifyWrite, requestEnded } from './request-end.ts'
import { parseResourcePath, type ResourceRequest, verbOf } from './request-info.ts'
import { RequestRecord } from './request-record.ts'
import { planResource, serveResource } from './resources.ts'
import { planReview } from './reviews.ts'
import { REVIEW_KINDS } from './reviews-kinds.ts'
import type { Services } from './services.ts'
import { createTlsServer, LIMITS, type Limits } from './tls-server.ts'
import { WatchStreams } from './watch-streams.ts'

export type { Limits } from './tls-server.ts'

export interface AppOptions {
  readonly registry: Registry
  readonly services: Services
  readonly tls: KeyPair & { readonly ca: string }
  readonly proxy: AgentProxy
  readonly doors?: readonly LegacyDoor[]
  readonly log: Logger
  readonly limits?: Partial<Limits>
}

interface Routes extends ResourceDeps, Documents {
  readonly options: AppOptions
  readonly inFlight: InFlight
  readonly backups: Backups
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request will do, decided (and allowed) before its body is read. */
    run: ((reply: FastifyReply) => Promise<void> | void) | undefined
    record: RequestRecord | undefined
  }
}

export function createApp(options: AppOptions): FastifyInstance {
  const { registry, log, services } = options
  const { kinds } = registry.feed
  const limits = { ...LIMITS, ...options.limits }
  const app = createTlsServer(options, limits)
  const routes: Routes = {
    options,
    registry,
    access: createAccess(registry, services.authorizer),
    streams: new WatchStreams(),
    inFlight: new InFlight(),
    backups: new Backups(registry),
    discovery: kinds.derived((all) => createDiscovery([...all, ...REVIEW_KINDS], 'flotilla')),
    openApi: createOpenApi(kinds),
  }
  services.metrics.addStreams(routes.streams)
  // Bodies are decoded by whoever knows what they must be: here they are only collected, up to the limit.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.decorateRequest('run', undefined)
  app.decorateRequest('record', undefined)
  app.addHook('onRequest', (request, reply, done) => admit(routes, request, reply, done))
  app.setErrorHandler((error, request, reply) => fail(log, error, request, reply))
  app.setNotFoundHandler((request, reply) => serve(log, request, reply))
  app.all('/*', (request, reply) => serve(log, request, reply))
  app.server.on('upgrade', (request, socket, head) => void serveUpgrade(routes, request, socket, head))
  app.addHook('preClose', async () => {
    routes.streams.end()
    options.proxy.end()
    for (const door of options.doors ?? []) door.letGo()
    await routes.backups.end()
    await routes.inFlight.settle(limits.closingMs)
  })
  return app
}

/** Decides what the request will do, and lets it in when its turn comes: before its body is read. */
function admit(routes: Routes, request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
  const { services } = routes.options
  const { path, query } = splitUrl(request.raw.url ?? '/')
  const record = new RequestRecord(query)
  request.record = record
  routes.inFlight.add(reply.raw)
  followToItsEnd(services, record, request.raw, reply.raw)
  const door = routes.options.doors?.find((each) => each.owns(path, request.raw.headers))
  if (door) {
    enter(door, routes, record, request, reply)
    done()
    return
  }
  try {
    request.run = plan(routes, path, record, request)
    identifyWrite(record, reply.raw)
  } catch (error) {
    identifyWrite(record, reply.raw)
    done(error as Error)
    return
  }
  record.place = services.priority.enter(record, { start: done, refuse: done })
}

/** What is no API of Kubernetes' leaves its ways here, before anybody reads the body. */
function enter(
  door: LegacyDoor,
  { access }: Routes,
  record: RequestRecord,
  { raw, method }: FastifyRequest,
  reply: FastifyReply,
): void {
  reply.hijack()
  record.verb = method.toLowerCase()
  record.lasting = record.query.has('wait')
  try {
    record.caller = access.caller(raw)
  } catch {
    // A certificate that does not count, or an impersonation that is not allowed: the door refuses in its own words.
  }
  door.handle(raw, reply.raw, record.caller?.identity)
}

const PROBES = /^\/(?:livez|readyz|healthz|version|metrics)(?:\/|$)/

/** Throws whatever can be refused without looking into the body. */
function plan(routes: Routes, path: string, record: RequestRecord, request: FastifyRequest): FastifyRequest['run'] {
  const { query } = record
  record.verb = request.method.toLowerCase()
  if (path.startsWith('/api/') || path.startsWith('/apis/')) {
    const target = parseResourcePath(path, routes.registry.feed.kinds)
    if (target) aboutResource(routes, record, target, request)
    if (target && routes.options.proxy.handles(target)) {
      record.lasting = true
      routes.access.authorize(request.raw, verbOf(request.method, target, query), target)
      const user = record.caller?.identity.user ?? ''
      return (reply) => routes.options.proxy.forward(target, query, request.method, user, reply.raw)
    }
    const resource = target && planResource(routes, target, query, request)
    if (resource) return (reply) => serveResource(routes, resource, request, reply)
    if (target) return refuseUnserved(request)
  }
  record.probe = PROBES.test(path)
  record.caller = routes.access.caller(request.raw)
  const backup = routes.backups.plan(path, request.raw, record.caller)
  if (backup) {
    record.lasting = true
    return (reply) => backup(reply.raw)
  }
  const review = planReview(routes.access, path, request.raw)
  if (review) return (reply) => review(request.body, request.raw, reply.raw)
  const { services, log } = routes.options
  const operation = planControlPlane({ access: routes.access, plane: services.controlPlane, log }, path, request.raw)
  if (operation) return (reply) => operation(reply.raw)
  routes.access.authorizePath(request.raw, request.method, path)
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuseWrite(path, request)
  return (reply) => serveDocument(routes, path, query, request, reply.raw)
}

/** A collection below a group and version: it could be that of a kind. */
const RESOURCE_PATH = /^\/(api|apis\/[^/]+)\/[^/]+\/./

function aboutResource(routes: Routes, record: RequestRecord, target: ResourceRequest, request: FastifyRequest): void {
  record.target = target
  record.verb = verbOf(request.method, target, record.query)
  record.lasting = record.verb === 'watch'
  record.caller = routes.access.caller(request.raw)
}

function refuseWrite(path: string, request: FastifyRequest): FastifyRequest['run'] {
  if (RESOURCE_PATH.test(path)) return refuseUnserved(request)
  throw methodNotAllowed()
}

/** Whoever sends an object of a kind that is not served is told its name, where only the body says it. */
function refuseUnserved(request: FastifyRequest): FastifyRequest['run'] {
  if (mediaTypeOf(request.headers['content-type']) !== PROTOBUF) throw noSuchPath()
  return () => {
    throw refuseProtobuf(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))
  }
}

async function serve(log: Logger, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.hijack()
  try {
    await request.run?.(reply)
  } catch (error) {
    fail(log, error, request, reply)
  } finally {
    request.record?.place?.release()
  }
}

function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const at = url.indexOf('?')
  return at < 0
    ? { path: url, query: NO_QUERY }
    : { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) }
}

const NO_QUERY = new URLSearchParams()

async function serveUpgrade(routes: Routes, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  socket.on('error', () => socket.destroy())
  const { path, query } = splitUrl(request.url ?? '/')
  const record = new RequestRecord(query)
  record.lasting = true
  const ended = (code: number) => requestEnded(routes.options.services, record, request, code)
  try {
    const target = parseResourcePath(path, routes.registry.feed.kinds)
    if (target === undefined || !routes.options.proxy.handles(target)) throw noSuchPath()
    Object.assign(record, { target, verb: 'create', id: nextRequestId() })
    record.caller = routes.access.caller(request)
    routes.access.authorize(request, 'create', target)
    await routes.options.proxy.upgrade(target, query, request, socket, head)
    ended(101)
  } catch (error) {
    ended(error instanceof StatusError ? error.status.code : 500)
    endWithFailure(socket, error, routes.options.log)
  }
}

function fail(log: Logger, error: unknown, { method, url }: FastifyRequest, reply: FastifyReply): void {
  if (!reply.sent) reply.hijack()
  sendFailure(reply.raw, error, log, { method, url })
}
