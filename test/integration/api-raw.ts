/** A real API server on a free port of loopback, and requests to it byte by byte: no client library mends them. */
import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, type RequestOptions, request } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import pino from 'pino'
import type { KeyPair } from '../../api-server/auth/key-pair.ts'
import type { Limits } from '../../api-server/http/tls-server.ts'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import { tempDir } from '../support/temp-dir.ts'
import { within } from '../support/within.ts'

export const UNITS = '/apis/flotilla.dev/v1/units'
export const MACHINES = '/apis/flotilla.dev/v1/machines'
export const NAMESPACES = '/api/v1/namespaces'
export const EVENTS = '/api/v1/namespaces/default/events'
export const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases'

export const MERGE = 'application/merge-patch+json'
export const JSON_PATCH = 'application/json-patch+json'
export const STRATEGIC = 'application/strategic-merge-patch+json'

// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at field by field, whatever it is
export type Json = any

export interface Answer {
  readonly code: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body, parsed; undefined when it is not JSON. */
  readonly body: Json
}

export interface Ask {
  readonly body?: unknown
  readonly type?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly as?: Caller
}

export interface Caller {
  readonly agent: Agent
  readonly tls: RequestOptions
}

export interface Api extends AsyncDisposable {
  readonly server: ApiServer
  readonly port: number
  readonly dataDir: string
  readonly admin: Caller
  readonly anonymous: Caller
  caller(pair: KeyPair | undefined): Caller
  ask(method: string, path: string, ask?: Ask): Promise<Answer>
  /** The answer's head, its body still to come. */
  open(path: string, ask?: Ask): Promise<IncomingMessage>
  /** A TLS connection with the administrator's certificate, for bytes that no HTTP client would send. */
  connect(): Promise<TLSSocket>
}

export interface ApiOptions {
  readonly limits?: Partial<Limits>
  readonly store?: 'embedded' | 'memory'
  readonly dataDir?: string
}

const ANSWER_TIMEOUT_MS = 15_000

/** A client alone, for a server in another process. */
export function clientOf(port: number, ca: string, pair: KeyPair): Pick<Api, 'ask'> & { close(): void } {
  const caller = callerOf(port, ca, pair)
  return { ask: asking(caller), close: () => caller.agent.destroy() }
}

function callerOf(port: number, ca: string, pair: KeyPair | undefined): Caller {
  const tls = { host: '127.0.0.1', port, ca, ...(pair && { cert: pair.certificate, key: pair.key }) }
  return { tls, agent: new Agent({ keepAlive: true, ...tls }) }
}

const asking =
  (caller: Caller): Api['ask'] =>
  (method, path, ask = {}) => {
    const answer = send(ask.as ?? caller, method, path, ask).then(answerOf)
    return within(ANSWER_TIMEOUT_MS, answer, `an answer to ${method} ${path.slice(0, 200)}`)
  }

export async function startApi({ store = 'memory', dataDir = tempDir(), limits }: ApiOptions = {}): Promise<Api> {
  const log = pino({ level: process.env.API_LOG ?? 'silent' })
  const server = await startApiServer({ dataDir, listen: '127.0.0.1:0', store, log, ...(limits && { limits }) })
  const port = Number(new URL(server.url).port)
  const callers: Caller[] = []
  const caller = (pair: KeyPair | undefined): Caller => {
    const made = callerOf(port, server.pki.caCertificate, pair)
    callers.push(made)
    return made
  }
  const admin = caller(await server.pki.adminCredentials())
  return {
    server,
    port,
    dataDir,
    admin,
    anonymous: caller(undefined),
    caller,
    open: (path, ask = {}) => send(ask.as ?? admin, 'GET', path, ask),
    ask: asking(admin),
    connect: async () => {
      const { cert, key } = admin.tls
      const socket = connect({ host: '127.0.0.1', port, ca: server.pki.caCertificate, cert, key })
      await once(socket, 'secureConnect')
      return socket
    },
    async [Symbol.asyncDispose]() {
      await server.close()
      for (const { agent } of callers) agent.destroy()
    },
  }
}

function send({ agent, tls }: Caller, method: string, path: string, ask: Ask): Promise<IncomingMessage> {
  const { body, headers = {}, type = 'application/json' } = ask
  const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(textOf(body))
  const length = bytes && { 'content-length': String(bytes.length) }
  const contentType = bytes && type !== null && { 'content-type': type }
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...tls, agent, method, path, headers: { ...length, ...contentType, ...headers } })
    outgoing.on('error', reject)
    outgoing.on('response', resolve)
    outgoing.end(bytes)
  })
}

function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}

export async function answerOf(incoming: IncomingMessage): Promise<Answer> {
  let text = ''
  for await (const piece of incoming.setEncoding('utf8')) text += piece
  return { code: incoming.statusCode ?? 0, headers: incoming.headers, text, body: parsed(text) }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // text/plain, or nothing
  }
}

export interface WatchEvent {
  readonly type: string
  readonly object: Json
}

/** Reads a watch's lines as they come; `ended` tells whether the end was clean. */
export class WatchReader {
  readonly events: WatchEvent[] = []
  readonly response: IncomingMessage
  readonly ended: Promise<'clean' | 'cut'>

  constructor(response: IncomingMessage) {
    this.response = response
    let rest = ''
    response.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.events.push(JSON.parse(line))
    })
    this.ended = new Promise((resolve) => {
      response.on('end', () => resolve('clean'))
      response.on('error', () => resolve('cut'))
      response.on('close', () => resolve('cut'))
    })
  }

  /** `ADDED a.service`, `BOOKMARK`. */
  get told(): string[] {
    return this.events.map(({ type, object }) => `${type} ${object.metadata?.name ?? ''}`.trim())
  }

  close(): void {
    this.response.destroy()
  }
}

export async function watchOf(api: Api, path: string, ask?: Ask): Promise<WatchReader> {
  return new WatchReader(await within(5_000, api.open(path, ask), `the head of ${path}`))
}

export function unitBody(name: string, spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}) {
  return {
    apiVersion: 'flotilla.dev/v1',
    kind: 'Unit',
    metadata: { name, ...metadata },
    spec: { content: '[Service]\nExecStart=/bin/true\n', ...spec },
  }
}

export const RBAC = '/apis/rbac.authorization.k8s.io/v1'

/** Gives a user a ClusterRole everywhere. */
export function bindRole(api: Api, name: string, role: string, user: string): Promise<Answer> {
  const body = {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'User', name: user }],
  }
  return api.ask('POST', `${RBAC}/clusterrolebindings`, { body })
}
