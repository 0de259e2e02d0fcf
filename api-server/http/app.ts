/**
 * The HTTP face of the registry: TLS, who is calling, which handler. Built from its dependencies and returned; main.ts
 * listens. Resource paths go to one generic handler, so nothing here knows a kind.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Kind } from '../../crds/kind.ts'
import type { KeyPair } from '../auth/key-pair.ts'
import {
  badRequest,
  internal,
  noSuchPath,
  type Status,
  StatusError,
  tooLarge,
  unavailable,
} from '../registry/errors.ts'
import type { Registry } from '../registry/registry.ts'
import { UnavailableError } from '../store/store.ts'
import { createAccess } from './access.ts'
import type { AgentProxy } from './agent-proxy.ts'
import { MAX_BODY_BYTES } from './body.ts'
import type { ResourceDeps } from './call.ts'
import { createDiscovery } from './discovery.ts'
import { type Documents, serveDocument } from './documents.ts'
import { createOpenApi } from './openapi.ts'
import { sendStatus } from './reply.ts'
import { type KindLookup, kindLookup, parseResourcePath, verbOf } from './request-info.ts'
import { serveResource } from './resources.ts'

export interface AppOptions {
  readonly registry: Registry
  readonly kinds: readonly Kind[]
  readonly tls: KeyPair & { readonly ca: string }
  readonly proxy: AgentProxy
  readonly log: Logger
  /** False until the server may be relied on; `/readyz` says which check fails. */
  readonly ready: () => string | undefined
}

/** A header section this large is an attack; a client this slow with it too. */
const MAX_HEADER_BYTES = 64 * 1024
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000

interface Routes extends ResourceDeps, Documents {
  readonly options: AppOptions
  readonly lookup: KindLookup
}

export function createApp(options: AppOptions): FastifyInstance {
  const { tls, registry, kinds } = options
  const app = fastify({
    https: {
      key: tls.key,
      cert: tls.certificate,
      ca: tls.ca,
      requestCert: true,
      rejectUnauthorized: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
    } as never,
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
    frameworkErrors: (error, request, reply) => fail(options, error, request, reply as FastifyReply),
    routerOptions: { maxParamLength: 4096 },
  }) as unknown as FastifyInstance
  const routes: Routes = {
    options,
    registry,
    access: createAccess(registry),
    streams: new Set(),
    lookup: kindLookup(kinds),
    discovery: createDiscovery(kinds, 'flotilla'),
    openApi: createOpenApi(kinds),
    ready: options.ready,
  }
  // Bodies are decoded by whoever knows what they must be: here they are only collected, up to the limit.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.setErrorHandler((error, request, reply) => fail(options, error, request, reply))
  app.setNotFoundHandler((request, reply) => serve(routes, request, reply))
  app.all('/*', (request, reply) => serve(routes, request, reply))
  app.server.on('upgrade', (request, socket, head) => void serveUpgrade(routes, request, socket, head))
  app.addHook('preClose', async () => {
    for (const stream of routes.streams) stream.end()
  })
  return app
}

async function serve(routes: Routes, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.hijack()
  try {
    await route(routes, request, reply)
  } catch (error) {
    fail(routes.options, error, request, reply)
  }
}

async function route(routes: Routes, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { path, query } = splitUrl(request.raw.url ?? '/')
  if (path.startsWith('/api/') || path.startsWith('/apis/')) {
    const target = parseResourcePath(path, routes.lookup)
    if (target && routes.options.proxy.handles(target)) {
      routes.access.authorize(request.raw.socket, verbOf(request.method, target, query), target)
      return await routes.options.proxy.forward(target, query, reply.raw)
    }
    if (target) return await serveResource(routes, target, query, request, reply)
  }
  routes.access.authorizePath(request.raw.socket, request.method, path)
  serveDocument(routes, path, query, request, reply.raw)
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
    routes.access.authorize(request.socket, 'create', target)
    await routes.options.proxy.upgrade(target, query, request, socket, head)
  } catch (error) {
    const body = JSON.stringify(statusOf(routes.options.log, error))
    const { code = 500 } = JSON.parse(body) as Status
    socket.end(
      `HTTP/1.1 ${code} \r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
  }
}

function fail({ log }: AppOptions, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  if (!reply.sent) reply.hijack()
  const status = statusOf(log.child({ method: request.method, url: request.url }), error)
  if (reply.raw.headersSent) reply.raw.destroy()
  else sendStatus(reply.raw, status)
}

/** Anything thrown, as a Status; what is not ours is logged here and told to nobody. */
function statusOf(log: Logger, error: unknown): Status {
  if (error instanceof StatusError) return error.status
  if (error instanceof UnavailableError)
    return unavailable(`the store does not take writes now: ${error.message}`).status
  const { code, statusCode } = (error ?? {}) as { code?: string; statusCode?: number }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge(MAX_BODY_BYTES).status
  if (code?.startsWith('FST_ERR_') && statusCode !== undefined && statusCode < 500)
    return badRequest(error instanceof Error ? error.message : 'bad request').status
  log.error({ err: error }, 'request failed')
  return internal().status
}
