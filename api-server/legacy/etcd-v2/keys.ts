/** /v2/keys: from a request to what it asks of the tree, and back to an answer (etcdhttp v2 of etcd 3.4). */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ETCD_V2_USER, type Identity } from '../../auth/identity.ts'
import type { Access } from './auth/access.ts'
import type { BodyReader } from './body.ts'
import { bytesOfText } from './bytes.ts'
import type { Caller } from './caller.ts'
import { type Failure, failure, failureBody, failureStatus, isFailure } from './failure.ts'
import { parseForm, readMedia } from './form.ts'
import { renderTree } from './node.ts'
import type { Write } from './operations.ts'
import { type Parameters, parseParameters } from './parameters.ts'
import type { Projecting } from './projection/index.ts'
import type { Replica } from './replica.ts'
import { allow, send } from './reply.ts'
import type { Counters } from './stats.ts'
import type { Target } from './target.ts'
import { whyAbsent } from './tree.ts'
import type { Watching } from './watching.ts'
import type { Answer, Writer } from './writer.ts'

export interface KeysDeps {
  readonly replica: Replica
  readonly writer: Writer
  readonly watching: Watching
  readonly bodies: BodyReader
  readonly counters: Counters
  readonly clusterId: string
  /** Resolves when the tree holds everything that anybody was told is written. */
  readonly catchUp: () => Promise<void>
  /** Headers of a success: raft's numbers stand for the store's revision. */
  readonly headers: (index: number) => string[]
  /** Where some keys show objects. */
  readonly projecting: Projecting | undefined
  readonly access: Access
}

/** One request on its way through. */
interface Call {
  readonly deps: KeysDeps
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly key: string
  readonly identity: Identity
  readonly caller: Caller
  /** The key as it was asked for. */
  readonly asked: string
}

/** Whoever reaches the door's own listener. */
const LOCAL: Identity = { user: ETCD_V2_USER, groups: [] }

const PREFIX = '/v2/keys'
const METHODS = ['HEAD', 'GET', 'PUT', 'POST', 'DELETE']

export function isKeysPath(path: string): boolean {
  return path.startsWith(PREFIX) && (path.length === PREFIX.length || path[PREFIX.length] === '/')
}

function keyOf(path: string): string {
  const key = path.slice(PREFIX.length)
  if (key === '' || key === '/') return '/'
  return key.endsWith('/') ? key.slice(0, -1) : key
}

export interface KeysExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly caller: Caller
}

export function serveKeys(deps: KeysDeps, { request, response, caller }: KeysExchange, target: Target): void {
  const { method } = request
  if (!allow(request, response, METHODS)) return
  const asked = target.path.slice(PREFIX.length)
  const identity = caller.identity ?? LOCAL
  const call: Call = { deps, request, response, key: keyOf(target.path), identity, caller, asked }
  if (method !== 'PUT' && method !== 'POST') {
    proceed(call, target.query, undefined, undefined)
    return
  }
  const media = readMedia(request.headers['content-type'])
  if (!media.isForm) {
    proceed(call, target.query, undefined, media.fault)
    return
  }
  deps.bodies.read(request, (body) => {
    if (body.ok) proceed(call, target.query, body.text, media.fault)
    else refuseBody(call, body.why)
  })
}

/** The rest of the body is not read: the connection ends with the answer. */
function refuseBody(call: Call, why: 'large' | 'busy'): void {
  call.response.setHeader('Connection', 'close')
  call.response.shouldKeepAlive = false
  refuse(call, why === 'large' ? failure(210, 'http: POST too large') : failure(300, 'too many bodies at once'), 0)
}

function proceed(call: Call, query: string, body: string | undefined, mediaFault: string | undefined): void {
  const { form, fault } = parseForm(query, body, mediaFault)
  if (fault !== undefined) {
    refuse(call, failure(210, fault), 0)
    return
  }
  const parameters = parseParameters(form, call.request.method ?? '')
  if (isFailure(parameters)) refuse(call, parameters, 0)
  else if (!call.deps.access.enabled) serve(call, parameters)
  else serveIfAllowed(call, parameters)
}

function serveIfAllowed(call: Call, parameters: Parameters): void {
  const { deps, request, caller, asked: key } = call
  const write = request.method !== 'GET' && request.method !== 'HEAD'
  const asking = { request, caller }
  deps.access.mayUseKey(asking, { key, write, recursive: parameters.recursive }).then(
    (isAllowed) => {
      if (isAllowed) serve(call, parameters)
      else refuse(call, failure(110, 'Insufficient credentials'), 0)
    },
    (error: unknown) => refuse(call, failure(300, String(error)), indexOf(call)),
  )
}

function refuse({ deps, response }: Call, refused: Failure, index: number): void {
  refuseFailure(deps, response, refused, index)
}

export function refuseFailure(
  deps: Pick<KeysDeps, 'clusterId'>,
  response: ServerResponse,
  refused: Failure,
  index: number,
): void {
  const headers = ['Content-Type', 'application/json', 'X-Etcd-Cluster-Id', deps.clusterId, 'X-Etcd-Index', `${index}`]
  send(response, failureStatus(refused), headers, failureBody(refused, index))
}

function serve(call: Call, parameters: Parameters): void {
  const { method } = call.request
  if (method === 'PUT' || method === 'POST' || method === 'DELETE') {
    write(call, parameters)
    return
  }
  const { recursive, wait } = parameters
  const refused = call.deps.projecting?.mayRead(call.identity, { key: call.key, recursive, wait })
  if (refused) refuse(call, refused, 0)
  else if (!parameters.quorum) read(call, parameters)
  else
    call.deps.catchUp().then(
      () => get(call, parameters),
      (error: unknown) =>
        refuse(call, failure(300, bytesOfText(error instanceof Error ? error.message : String(error))), indexOf(call)),
    )
}

const indexOf = ({ deps }: Call) => deps.replica.head.index

function read(call: Call, parameters: Parameters): void {
  const { deps, response, key } = call
  if (!parameters.wait) {
    get(call, parameters)
    return
  }
  const { recursive, stream, waitIndex } = parameters
  // Indices are counted one by one, so what a number cannot hold is never reached.
  const since = waitIndex === 0n ? indexOf(call) + 1 : Number(waitIndex)
  deps.watching.start(response, { key, recursive, stream, since }, (refused) => refuse(call, refused, indexOf(call)))
}

function get(call: Call, { recursive, sorted }: Parameters): void {
  const { deps, response, key } = call
  const { tree, head } = deps.replica
  const node = tree.get(key)
  deps.counters.count(node === undefined ? 'getsFail' : 'getsSuccess')
  if (node === undefined) {
    const absent = whyAbsent(tree, key)
    refuse(call, failure(absent.why === 'file' ? 104 : 100, absent.key), head.index)
    return
  }
  const body = renderTree(node, { recursive, sorted, nowMs: Date.now() })
  send(response, 200, deps.headers(head.index), `{"action":"get","node":${body}}\n`)
}

function write(call: Call, parameters: Parameters): void {
  const { method = '' } = call.request
  const wanted = writeOf(method, call.key, parameters)
  call.deps.writer.submit(
    wanted,
    (answer) => {
      call.deps.counters.countWrite(wanted.do, answer.ok)
      answerWrite(call, answer, parameters.noValueOnSuccess)
    },
    call.identity,
  )
}

function writeOf(method: string, key: string, parameters: Parameters): Write {
  const { dir, recursive, value, refresh, prevValue, prevIndex } = parameters
  const expires = expiryOf(parameters.ttl)
  return { do: verbOf(method, parameters), key, dir, recursive, value, expires, refresh, prevValue, prevIndex }
}

function verbOf(method: string, { prevExist, prevValue, prevIndex }: Parameters): Write['do'] {
  if (method === 'POST') return 'create-in-order'
  const isConditional = prevValue !== '' || prevIndex > 0n
  if (method === 'DELETE') return isConditional ? 'delete-if' : 'delete'
  if (prevExist === false) return 'create'
  if (isConditional) return 'swap'
  return prevExist === true ? 'update' : 'set'
}

/** In etcd's arithmetic: nanoseconds in 64 bits, which run over after 292 years. Operations judge what comes of it. */
function expiryOf(ttl: bigint | undefined): number | undefined {
  if (ttl === undefined) return undefined
  const nowMs = Date.now()
  if (ttl < 1_000_000_000n) return nowMs + Number(ttl) * 1_000
  const at = BigInt(nowMs) * 1_000_000n + BigInt.asIntN(64, ttl * 1_000_000_000n)
  return Number(BigInt.asIntN(64, at) / 1_000_000n)
}

const SILENT: ReadonlySet<string> = new Set(['set', 'create', 'update', 'compareAndSwap'])

function answerWrite(call: Call, answer: Answer, isSilent: boolean): void {
  if (!answer.ok) {
    refuse(call, answer.failure, answer.failure.code === 110 ? 0 : answer.index)
    return
  }
  const { entry, isNew } = answer.done
  const body = isSilent && SILENT.has(entry.action) ? `{"action":"${entry.action}"}\n` : entry.body
  send(call.response, isNew ? 201 : 200, call.deps.headers(answer.index), body)
}
