/**
 * A listener of the door's own: plain HTTP, as its clients speak it, for addresses that only trusted callers reach; or
 * TLS with certificates of the operator's choice, as etcd 2 had it.
 */
import { createServer as createPlainServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Caller } from './caller.ts'
import type { EtcdV2Door } from './door.ts'
import { type Front, putBefore } from './front/front.ts'

export interface ListenOptions {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
  readonly tls?: ListenerTls
}

/** PEM. */
export interface ListenerTls {
  readonly cert: string
  readonly key: string
  /** Clients must show a certificate of this authority. */
  readonly ca?: string
}

export interface EtcdV2Listener {
  /** `http://127.0.0.1:4001` */
  readonly url: string
  /** Close the door first: it ends the answers that wait. */
  close(): Promise<void>
}

const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
/** Old clients keep connections for a minute and more; a shorter life here would cut requests on their way. */
const IDLE_TIMEOUT_MS = 120_000
const TAKE_TIMEOUT_MS = 60_000
const CHECK_EVERY_MS = 5_000
const TCP_KEEP_ALIVE_MS = 30_000
const MAX_CONNECTIONS = 25_000
const MAX_HEADER_BYTES = 64 * 1024
const CLOSING_MS = 2_000

const FRONT_LIMITS = {
  firstTimeoutMs: HEADERS_TIMEOUT_MS,
  idleTimeoutMs: IDLE_TIMEOUT_MS,
  takeTimeoutMs: TAKE_TIMEOUT_MS,
}

/** Rejects with the system's error when the address cannot be had. */
export async function listenEtcdV2(
  door: Pick<EtcdV2Door, 'ask' | 'handle'>,
  { host, port, tls }: ListenOptions,
): Promise<EtcdV2Listener> {
  const limits = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    noDelay: true,
  }
  const server = tls ? createTlsServer({ ...limits, ...tlsOptions(tls) }) : createPlainServer(limits)
  server.maxConnections = MAX_CONNECTIONS
  const front = tls ? undefined : putBefore(server, door.ask, FRONT_LIMITS)
  server.on('request', (request, response) => door.handle(request, response, callerOf(request.socket)))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => resolve())
  })
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  return {
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () => close(server, front),
  }
}

function callerOf(socket: Socket): Caller {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return {}
  const { CN }: { CN?: string | readonly string[] } = socket.getPeerCertificate().subject ?? {}
  return typeof CN === 'string' ? { certificateName: CN } : {}
}

function tlsOptions({ cert, key, ca }: ListenerTls) {
  return { cert, key, ...(ca !== undefined && { ca, requestCert: true, rejectUnauthorized: true }) }
}

type Server = ReturnType<typeof createPlainServer> | ReturnType<typeof createTlsServer>

async function close(server: Server, front: Front | undefined): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  front?.close()
  const timer = setTimeout(() => {
    server.closeAllConnections()
    front?.destroy()
  }, CLOSING_MS)
  await closed
  clearTimeout(timer)
}
