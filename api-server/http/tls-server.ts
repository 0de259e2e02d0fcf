/** The TLS server below the app: who may take how long, and what becomes of bytes that are no request. */
import type { ServerResponse } from 'node:http'
import type { ServerOptions } from 'node:https'
import fastify, { type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { KeyPair } from '../auth/key-pair.ts'
import { MAX_BODY_BYTES } from './body.ts'
import { endWithFailure, sendFailure } from './failure.ts'

export interface TlsServerOptions {
  readonly tls: KeyPair & { readonly ca: string }
  readonly log: Logger
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

export const LIMITS: Limits = {
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

export function createTlsServer({ tls, log }: TlsServerOptions, limits: Limits): FastifyInstance {
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
  const app = fastify({
    https,
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    return503OnClosing: false,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    clientErrorHandler: (error, socket) => endWithFailure(socket, error, log),
    frameworkErrors: (error, { method, url }, reply) => {
      if (!reply.sent) reply.hijack()
      sendFailure(reply.raw as ServerResponse, error, log, { method, url })
    },
    routerOptions: { maxParamLength: 4096 },
  }) as unknown as FastifyInstance
  // Node would leave out what comes after the first two thousand, `Impersonate-User` among it; the bytes are bounded.
  app.server.maxHeadersCount = 0
  return app
}
