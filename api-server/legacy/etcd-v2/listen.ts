/** A listener of the door's own: plain HTTP, as its clients speak it, for addresses that only trusted callers reach. */
import { createServer, type Server } from 'node:http'
import type { EtcdV2Door } from './door.ts'

export interface ListenOptions {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
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
const CHECK_EVERY_MS = 5_000
const TCP_KEEP_ALIVE_MS = 30_000
const MAX_CONNECTIONS = 25_000
const MAX_HEADER_BYTES = 64 * 1024
const CLOSING_MS = 2_000

/** Rejects with the system's error when the address cannot be had. */
export async function listenEtcdV2(
  handle: EtcdV2Door['handle'],
  { host, port }: ListenOptions,
): Promise<EtcdV2Listener> {
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    noDelay: true,
  })
  server.maxConnections = MAX_CONNECTIONS
  server.on('request', handle)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => resolve())
  })
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`, close: () => close(server) }
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), CLOSING_MS)
  await closed
  clearTimeout(timer)
}
