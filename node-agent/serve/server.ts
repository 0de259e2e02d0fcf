/**
 * The agent's door: logs, status and commands of this machine, for the API server alone.
 *
 * Mutual TLS decides who gets in: the certificate must come from our authority and carry the API server's name. Users
 * are authenticated and authorised there; nothing else may reach this door.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Logger } from 'pino'
import type { UnitDriver } from '../units/driver.ts'
import { acceptExec } from './exec-upgrade.ts'
import { listen } from './listen.ts'
import { refuseUpgrade, sendStatus } from './reply.ts'
import { type ActionNews, handlerOf } from './routes.ts'

export interface ServeSettings {
  readonly host: string
  /** 0 is any free port. */
  readonly port: number
  /** PEM: own certificate and key, and the authority that callers must come from. */
  readonly tls: { readonly cert: string | Buffer; readonly key: string | Buffer; readonly ca: string | Buffer }
}

export interface ServeOptions extends ServeSettings {
  readonly driver: UnitDriver
  /** Something was done to a unit by hand. */
  readonly onAction?: (news: ActionNews) => void
  readonly log: Logger
  readonly signal: AbortSignal
}

export interface AgentDoor {
  readonly host: string
  readonly port: number
  /** Settles once `signal` has fired and the door is closed, sessions included. */
  readonly closed: Promise<void>
}

export const API_SERVER_NAME = 'flotilla:api-server'
/** Each log or exec is a process on the machine. */
const MAX_SESSIONS = 128
const MAX_CONNECTIONS = 256
const STRICT_TLS = {
  requestCert: true,
  rejectUnauthorized: true,
  minVersion: 'TLSv1.2',
  handshakeTimeout: 5_000,
} as const
const NOT_YOU = [403, 'only the API server may call this agent'] as const
const TOO_MANY = [503, `more than ${MAX_SESSIONS} sessions are open on this machine`] as const

/** Resolves when it listens. Rejects when the address is taken or the certificates do not fit. */
export async function serveAgent(options: ServeOptions): Promise<AgentDoor> {
  const { host, port, tls, log, signal } = options
  const server = createServer({ ...tls, ...STRICT_TLS })
  server.maxConnections = MAX_CONNECTIONS
  const door: Door = { ...options, sessions: { open: 0 } }
  server.on('request', (request, response) => void answer(request, response, door))
  server.on('upgrade', (request, socket, head) => void upgrade(request, socket, head, door))
  server.on('tlsClientError', (error) => log.debug({ err: error }, 'caller refused'))
  const closed = closeOn(signal, server)
  await listen(server, host, port)
  const address = server.address() as AddressInfo
  return { host: address.address, port: address.port, closed }
}

/** Upgraded connections and half-made ones are none of http's any more, and would keep the door open. */
function closeOn(signal: AbortSignal, server: Server): Promise<void> {
  const sockets = new Set<Duplex>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return new Promise((resolve) => {
    const close = (): void => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    }
    if (signal.aborted) close()
    else signal.addEventListener('abort', close, { once: true })
  })
}

interface Door extends ServeOptions {
  readonly sessions: { open: number }
}

/** Never rejects: what goes wrong is answered, or ends the connection. */
async function answer(request: IncomingMessage, response: ServerResponse, door: Door): Promise<void> {
  const left = new AbortController()
  // Closing the door destroys the connections, so this also fires when the agent stops.
  response.once('close', () => left.abort())
  door.sessions.open += 1
  try {
    await route(request, response, door, left.signal)
  } catch (error) {
    if (!left.signal.aborted) fail(response, error, door.log)
  } finally {
    door.sessions.open -= 1
  }
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  { driver, sessions, onAction = () => {} }: Door,
  signal: AbortSignal,
): Promise<void> {
  if (!isApiServer(request)) return sendStatus(response, ...NOT_YOU)
  const url = new URL(request.url ?? '/', 'https://agent')
  if (url.pathname === '/healthz') return void response.end('ok')
  const handle = handlerOf(request.method, url)
  if (typeof handle === 'function' && sessions.open > MAX_SESSIONS) return sendStatus(response, ...TOO_MANY)
  if (typeof handle !== 'function') return sendStatus(response, handle.code, handle.message)
  await handle({ driver, onAction, request, response, signal })
}

/** Once the log has begun, a broken connection is the only honest way to say that it is not complete. */
function fail(response: ServerResponse, error: unknown, log: Logger): void {
  log.warn({ err: error }, 'request failed')
  if (response.headersSent) response.destroy()
  else sendStatus(response, 500, error instanceof Error ? error.message : String(error))
}

async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, door: Door): Promise<void> {
  const { driver, log, sessions } = door
  socket.on('error', () => socket.destroy())
  sessions.open += 1
  try {
    if (!isApiServer(request)) refuseUpgrade(socket, ...NOT_YOU)
    else if (sessions.open > MAX_SESSIONS) refuseUpgrade(socket, ...TOO_MANY)
    else await acceptExec(request, socket, head, driver.kind)
  } catch (error) {
    log.warn({ err: error }, 'exec failed')
    socket.destroy()
  } finally {
    sessions.open -= 1
  }
}

function isApiServer(request: IncomingMessage): boolean {
  const socket = request.socket as TLSSocket
  return socket.authorized && socket.getPeerCertificate().subject?.CN === API_SERVER_NAME
}
