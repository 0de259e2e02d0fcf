/**
 * Reaching into a machine: `units/NAME/{log,status-text,exec,action}` and `machines/NAME/{log,exec}` go on to the
 * agent over mTLS (D9). The server stands in between and copies bytes: no framing is taken apart here, so back-pressure
 * and half-open ends are the sockets' own.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { Machine, Unit } from '../../crds/index.ts'
import type { ApiObject } from '../../crds/kind.ts'
import type { Unit as UnitObject } from '../../crds/unit.ts'
import { isParent } from '../../crds/unit-set.ts'
import type { KeyPair } from '../auth/key-pair.ts'
import { objectOf } from '../registry/entry.ts'
import { badRequest, methodNotAllowed, type Status, StatusError, unavailable } from '../registry/errors.ts'
import type { Registry } from '../registry/registry.ts'
import { isPodStream, refusePodStream } from './pod-streams.ts'
import { CACHE_CONTROL } from './reply.ts'
import type { ResourceRequest } from './request-info.ts'

const CONNECT_TIMEOUT_MS = 5_000

export interface AgentProxy {
  /** Whether a resource request is one that is answered by an agent. */
  handles(target: ResourceRequest): boolean
  /** `user` is in whose name; the agent records it with what is done. */
  forward(
    target: ResourceRequest,
    query: URLSearchParams,
    method: string,
    user: string,
    response: ServerResponse,
  ): Promise<void>
  upgrade(
    target: ResourceRequest,
    query: URLSearchParams,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void>
  /** Ends every session that is open: the server would wait for them, and a shell may stay open for days. */
  end(): void
}

interface Route {
  readonly machine: string
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
}

type Reach = Pick<Route, 'machine' | 'path' | 'headers'>

/** What is served of a machine and of its units, and with which method. */
const MACHINE_STREAMS: ReadonlyMap<string, string> = new Map([
  ['log', 'GET'],
  ['exec', 'GET'],
])
const UNIT_STREAMS: ReadonlyMap<string, string> = new Map([
  ...MACHINE_STREAMS,
  ['status-text', 'GET'],
  ['action', 'POST'],
])

export function createAgentProxy(registry: Registry, credentials: KeyPair, ca: string): AgentProxy {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  const dial = (route: Route, query: URLSearchParams) => {
    const { address, port } = agentOf(registry, route.machine)
    const search = query.size > 0 ? `?${query}` : ''
    return httpsRequest({
      agent,
      host: address,
      port,
      method: route.method,
      path: route.path + search,
      headers: route.headers,
      servername: `machine-${route.machine}`,
      ca,
      cert: credentials.certificate,
      key: credentials.key,
      timeout: CONNECT_TIMEOUT_MS,
    })
  }
  const sessions = new Set<Duplex>()
  return {
    end: () => {
      for (const socket of sessions) socket.destroy()
    },
    handles: (target) => isMachineStream(target) || isPodStream(target),
    forward: (target, query, method, user, response) => {
      const { headers, ...reach } = routeOf(registry, target)
      if (method !== methodOf(target)) throw methodNotAllowed()
      const whose = { ...headers, 'flotilla-user': encodeURIComponent(user) }
      return forward(dial({ ...reach, method, headers: whose }, query), response)
    },
    upgrade: (target, query, request, socket, head) => {
      const headers = Object.fromEntries(
        Object.entries(request.headers).filter(([name]) => isUpgradeHeader(name)),
      ) as Record<string, string>
      sessions.add(socket)
      socket.once('close', () => sessions.delete(socket))
      return upgrade(dial({ ...routeOf(registry, target), method: 'GET', headers }, query), socket, head)
    },
  }
}

function isMachineStream(target: ResourceRequest): boolean {
  return target.name !== undefined && methodOf(target) !== undefined
}

function methodOf({ kind, subresource = '' }: ResourceRequest): string | undefined {
  if (kind === Unit) return UNIT_STREAMS.get(subresource)
  return kind === Machine ? MACHINE_STREAMS.get(subresource) : undefined
}

function isUpgradeHeader(name: string): boolean {
  return name === 'connection' || name === 'upgrade' || name.startsWith('sec-websocket-')
}

/** A unit is reached where it is held, or else where it should be. */
function routeOf(registry: Registry, target: ResourceRequest): Reach {
  if (isPodStream(target)) refusePodStream(registry, target)
  const { kind, name = '', subresource } = target
  if (kind === Machine) return { machine: name, path: `/${subresource}`, headers: {} }
  const unit = objectOf(registry.get({ kind: Unit, namespace: undefined, name }))
  const { unitName = name, machineName } = unit.spec as { unitName?: string; machineName?: string }
  const machine = (unit.status as { machineName?: string } | undefined)?.machineName || machineName
  if (!machine) throw badRequest(nowhere(unit))
  const verb = subresource === 'status-text' ? 'status' : subresource
  const path = verb === 'exec' ? '/exec' : `/units/${encodeURIComponent(unitName)}/${verb}`
  const headers = { 'flotilla-unit': encodeURIComponent(name), 'flotilla-unit-uid': unit.metadata.uid ?? '' }
  return { machine, path, headers }
}

function nowhere(unit: ApiObject): string {
  const { name } = unit.metadata
  return isParent(unit as Readonly<UnitObject>)
    ? `unit "${name}" is a set: its instances are what runs; flotilla journal, status and restart go to each of them`
    : `unit "${name}" is not on any machine: flotilla why unit/${name} says what it waits for`
}

function agentOf(registry: Registry, name: string): { readonly address: string; readonly port: number } {
  const machine: ApiObject = objectOf(registry.get({ kind: Machine, namespace: undefined, name }))
  const endpoint = (machine.status as { agent?: { address: string; port: number } } | undefined)?.agent
  if (endpoint === undefined)
    throw unavailable(`machine "${name}" has not told where its agent listens; is the agent running there?`)
  return endpoint
}

type Outgoing = ReturnType<typeof httpsRequest>

/** Until the agent answers, a failure is a 503 that names it; afterwards the stream just ends. */
function whileDialling(outgoing: Outgoing, reject: (error: Error) => void): void {
  outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer within ${CONNECT_TIMEOUT_MS} ms`)))
  outgoing.on('error', (error) => reject(unavailable(`the agent cannot be reached: ${error.message}`)))
}

async function forward(outgoing: Outgoing, response: ServerResponse): Promise<void> {
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    whileDialling(outgoing, reject)
    outgoing.once('response', resolve)
    outgoing.end()
  })
  outgoing.setTimeout(0)
  response.on('close', () => incoming.destroy())
  incoming.on('error', () => response.destroy())
  response.writeHead(incoming.statusCode ?? 502, {
    'content-type': incoming.headers['content-type'] ?? 'text/plain',
    'cache-control': CACHE_CONTROL,
  })
  response.flushHeaders()
  incoming.pipe(response)
}

const MAX_REFUSAL_BYTES = 16 * 1024

/** The agent's own Status, so that its sentence reaches the user; a 503 where it sent none. */
async function refusalOf(incoming: IncomingMessage): Promise<Error> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > MAX_REFUSAL_BYTES) break
    pieces.push(piece)
  }
  try {
    const { code, reason, message } = JSON.parse(Buffer.concat(pieces).toString()) as Partial<Status>
    if (code && reason && message) return new StatusError(code, reason, message)
  } catch {
    // Not a Status: what is known is the code.
  }
  return unavailable(`the agent refused the connection with ${incoming.statusCode}`)
}

interface Upgraded {
  readonly incoming: IncomingMessage
  readonly remote: Duplex
  readonly early: Buffer
}

async function upgrade(outgoing: Outgoing, socket: Duplex, head: Buffer): Promise<void> {
  const { incoming, remote, early } = await new Promise<Upgraded>((resolve, reject) => {
    whileDialling(outgoing, reject)
    outgoing.once('upgrade', (incoming, remote, early) => resolve({ incoming, remote, early }))
    outgoing.once('response', (incoming) => void refusalOf(incoming).then(reject, reject))
    outgoing.end()
  })
  outgoing.setTimeout(0)
  const headers = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`)
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join('')}\r\n`)
  socket.write(early)
  remote.write(head)
  remote.on('error', () => socket.destroy())
  remote.on('close', () => socket.destroy())
  socket.on('close', () => remote.destroy())
  socket.pipe(remote).pipe(socket)
}
