/**
 * 127.0.0.1:4001 of a machine, as on every CoreOS host: etcd's v2 API in plain HTTP, answered by the API servers, to
 * whom we speak TLS with the machine's own certificate.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { listen } from '../serve/listen.ts'
import { isForwarded } from './paths.ts'
import { sendNotFound } from './refusal.ts'
import { type RelayLimits, relay, type Upstreams } from './relay.ts'
import type { ServerList } from './server-list.ts'

export interface ForwardOptions {
  readonly host: string
  /** 0 is any free port. */
  readonly port: number
  readonly servers: ServerList
  /** PEM: our certificate and key, and the authority that servers must come from. */
  readonly tls: { readonly cert: string | Buffer; readonly key: string | Buffer; readonly ca: string | Buffer }
  readonly limits?: Partial<ForwardLimits>
}

export interface ForwardLimits extends RelayLimits {
  /** Those beyond are closed as they come. Each holds at most one connection to a server. */
  readonly connections: number
}

export interface Forward {
  readonly port: number
  /** Ends every connection, waits included. */
  close(): Promise<void>
}

const LIMITS: ForwardLimits = { connections: 1_024, connectMs: 2_000, headMs: 15_000 }
/** Shorter than any server's own, so that a server does not close what we are about to use. */
const IDLE_UPSTREAM_MS = 4_000
const MAX_IDLE_UPSTREAM = 32
const SERVER = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 120_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 64 * 1024,
  keepAlive: true,
  noDelay: true,
} as const
/** Requests that a client may send on one connection ahead of its answers. */
const MAX_PIPELINED = 32

/** Resolves when it listens. Rejects with the system's error where the address cannot be had. */
export async function forwardEtcdV2({ host, port, servers, tls, ...options }: ForwardOptions): Promise<Forward> {
  const { connections, ...limits } = { ...LIMITS, ...options.limits }
  const agent = new Agent({
    ...tls,
    ...{ keepAlive: true, timeout: IDLE_UPSTREAM_MS, maxFreeSockets: MAX_IDLE_UPSTREAM },
    // Every connection shows our certificate anew: who we are is not to depend on what a server remembers.
    maxCachedSessions: 0,
  })
  const server = createServer(SERVER)
  server.maxConnections = connections
  const inTurn = createTurns()
  server.on('request', (request, response) =>
    inTurn(request.socket, () => serve(request, response, { servers, agent, limits })),
  )
  await listen(server, host, port)
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      agent.destroy()
    },
  }
}

/** Never rejects. */
async function serve(request: IncomingMessage, response: ServerResponse, upstreams: Upstreams): Promise<void> {
  if (isForwarded(request.url ?? '')) {
    // Node may still refuse to send on what its parser has let in.
    await relay(request, response, upstreams).catch(() => response.destroy())
    return
  }
  request.resume()
  sendNotFound(response)
}

/**
 * Requests that come on one connection are carried out one after the other: a client that sends a write and a read
 * behind it, without waiting for the answer, means this order.
 */
function createTurns(): (socket: Socket, work: () => Promise<void>) => void {
  const turns = new WeakMap<Socket, { last: Promise<void>; waiting: number }>()
  return (socket, work) => {
    const turn = turns.get(socket) ?? { last: Promise.resolve(), waiting: 0 }
    turns.set(socket, turn)
    if (turn.waiting >= MAX_PIPELINED) return void socket.destroy()
    turn.waiting += 1
    const next = turn.waiting === 1 ? work() : turn.last.then(work)
    turn.last = next.finally(() => {
      turn.waiting -= 1
    })
  }
}
