/**
 * The HTTP face of the registry: TLS, who is calling, which handler. Built from its dependencies and returned; main.ts
 * listens. Resource paths go to one generic handler, so nothing here knows a kind.
 */
import type { IncomingMessage } from 'node:http'
import type { ServerOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Kind } from '../../crds/kind.ts'
import type { KeyPair } from '../auth/key-pair.ts'
import type { Authorizer } from '../auth/rbac/authorizer.ts'
import { methodNotAllowed, noSuchPath } from '../registry/errors.ts'
import type { Registry } from '../registry/registry.ts'
import { createAccess } from './access.ts'
import type { AgentProxy } from './agent-proxy.ts'
import { MAX_BODY_BYTES, mediaTypeOf } from './body.ts'
import type { ResourceDeps } from './call.ts'
import { createDiscovery } from './discovery.ts'
import { type Documents, serveDocument } from './documents.ts'
import { endWithFailure, sendFailure } from './failure.ts'
import { InFlight } from './in-flight.ts'
import { createOpenApi } from './openapi.ts'
import { PROTOBUF, refuseProtobuf } from './protobuf/index.ts'
import { type KindLookup, kindLookup, parseResourcePath, verbOf } from './request-info.ts'
import { planResource, serveResource } from './resources.ts'
import { planReview } from './reviews.ts'
import { REVIEW_KINDS } from './reviews-kinds.ts'
import { WatchStreams } from './watch-streams.ts'

export interface AppOptions {
  readonly registry: Registry
  readonly kinds: readonly Kind[]
  readonly authorizer: Authorizer
  readonly tls: KeyPair & { readonly ca: string }
  readonly proxy: AgentProxy
  readonly log: Logger
  /** False until the server may be relied on; `/readyz` says which check fails. */
  readonly ready: () => string | undefined
  readonly limits?: Partial<Limits>
}

/** How long a client may take; slower ones are an attack, or lost. */
export interface Limits {
  readonly handshakeMs: number
  readonly headersMs: number
  readonly requestMs: number
  /** How often the two before are looked at. */
  readonly checkEveryMs: number
  readonly idleMs: number
  /** How long answers may take to leave when the server stops. */
  readonly closingMs: number
}

const LIMITS: Limits = {
  handshakeMs: 10_000,
  headersMs: 10_000,
  requestMs: 60_000,
  checkEveryMs: 5_000,
  idleMs: 75_000,
  closingMs: 2_000,
}

const MAX_HEADER_BYTES = 64 * 1024
/** A peer that lost power says nothing; TCP finds out. */
const TCP_KEEP_ALIVE_MS = 30_000

interface Routes extends ResourceDeps, Documents {
  readonly options: AppOptions
  readonly lookup: KindLookup
  readonly inFlight: InFlight
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request will do, decided (and allowed) before its body is read. */
    run: ((reply: FastifyReply) => Promise<void> | void) | undefined
  }
}

export function createApp(options: AppOptions): FastifyInstance {
  const { registry, kinds, log } = options
  const limits = { ...LIMITS, ...options.limits }
  const app = createServer(options, limits)
  const routes: Routes = {
    options,
    registry,
    access: createAccess(registry, options.authorizer),
    streams: new WatchStreams(),
    inFlight: new InFlight(),
    lookup: kindLookup(kinds),
    discovery: createDiscovery([...kinds, ...REVIEW_KINDS], 'flotilla'),
    openApi: createOpenApi(kinds),
    ready: options.ready,
  }
  // Bodies are decoded by whoever knows what they must be: here they are only collected, up to the limit.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.decorateRequest('run', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    routes.inFlight.add(reply.raw)
    try {
      request.run = plan(routes, request)
      done()
    } catch (error) {
      done(error as Error)
    }
  })
  app.setErrorHandler((error, request, reply) => fail(log, error, request, reply))
  app.setNotFoundHandler((request, reply) => serve(log, request, reply))
  app.all('/*', (request, reply) => serve(log, request, reply))
  app.server.on('upgrade', (request, socket, head) => void serveUpgrade(routes, request, socket, head))
  app.addHook('preClose', async () => {
    routes.streams.end()
    await routes.inFlight.settle(limits.closingMs)
  })
  return app
}

function createServer({ tls, log }: AppOptions, limits: Limits): FastifyInstance {
  const https: ServerOptions = {
    key: tls.key,
    cert: tls.certificate,
    ca: tls.ca,
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: limits.handshakeMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: limits.headersMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  }
  return fastify({
    https,
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    return503OnClosing: false,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    clientErrorHandler: (error, socket) => endWithFailure(socket, error, log),
    frameworkErrors: (error, request, reply) => fail(log, error, request, reply as FastifyReply),
    routerOptions: { maxParamLength: 4096 },
  }) as unknown as FastifyInstance
}

/** Throws whatever can be refused without looking into the body. */
function plan(routes: Routes, request: FastifyRequest): FastifyRequest['run'] {
  const { path, query } = splitUrl(request.raw.url ?? '/')
  if (path.startsWith('/api/') || path.startsWith('/apis/')) {
    const target = parseResourcePath(path, routes.lookup)
    if (target && routes.options.proxy.handles(target)) {
      routes.access.authorize(request.raw, verbOf(request.method, target, query), target)
      return (reply) => routes.options.proxy.forward(target, query, reply.raw)
    }
    const resource = target && planResource(routes, target, query, request)
    if (resource) return (reply) => serveResource(routes, resource, request, reply)
  }
  const review = planReview(routes.access, path, request.raw)
  if (review) return (reply) => review(request.body, request.raw, reply.raw)
  routes.access.authorizePath(request.raw, request.method, path)
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuseWrite(path, request)
  return (reply) => serveDocument(routes, path, query, request, reply.raw)
}

/** Whoever would make an object of a kind that is not served is told its name, where only the body says it. */
function refuseWrite(path: string, request: FastifyRequest): FastifyRequest['run'] {
  const isProtobuf = mediaTypeOf(request.headers['content-type']) === PROTOBUF
  if (!isProtobuf || !/^\/apis?\//.test(path)) throw methodNotAllowed()
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
  try {
    const { path, query } = splitUrl(request.url ?? '/')
    const target = parseResourcePath(path, routes.lookup)
    if (target === undefined || !routes.options.proxy.handles(target)) throw noSuchPath()
    routes.access.authorize(request, 'create', target)
    await routes.options.proxy.upgrade(target, query, request, socket, head)
  } catch (error) {
    endWithFailure(socket, error, routes.options.log)
  }
}

function fail(log: Logger, error: unknown, { method, url }: FastifyRequest, reply: FastifyReply): void {
  if (!reply.sent) reply.hijack()
  sendFailure(reply.raw, error, log, { method, url })
}
