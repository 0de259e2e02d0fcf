/** /v2/keys: from a request to what it asks of the tree, and back to an answer (etcdhttp v2 of etcd 3.4). */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ETCD_V2_USER, type Identity } from '../../auth/identity.ts'
import type { Access } from './auth/access.ts'
import type { BodyReader } from './body.ts'
import { bytesOfText } from './bytes.ts'
import type { Caller } from './caller.ts'
import { type Failure, failure, failureBody, failureStatus, isFailure } from './failure.ts'
import { type Media, parseForm, readMedia } from './form.ts'
import type { Answer } from './front/answer.ts'
import type { PlainRequest } from './front/request.ts'
import { renderTree } from './node.ts'
import { type Parameters, parseParameters } from './parameters.ts'
import type { Projecting } from './projection/index.ts'
import type { Replica } from './replica.ts'
import { allow, send } from './reply.ts'
import type { Counters } from './stats.ts'
import type { Target } from './target.ts'
import { whyAbsent } from './tree.ts'
import { writeOf } from './wanted-write.ts'
import type { Watching } from './watching.ts'
import type { Writer, Answer as Written } from './writer.ts'

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
  readonly method: string
  readonly key: string
  readonly identity: Identity
  readonly answer: Answer
}

/** By way of node:http: may wait, may have to show who asks. */
interface HttpCall extends Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
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
  const { method = '' } = request
  if (!allow(request, response, METHODS)) return
  const asked = target.path.slice(PREFIX.length)
  const identity = caller.identity ?? LOCAL
  const answer: Answer = (status, headers, body) => send(response, status, headers, body)
  const key = keyOf(target.path)
  const call: HttpCall = { deps, method, key, identity, answer, request, response, caller, asked }
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

/** The short way, for whoever reaches the door's own listener. False, and nothing was done: `serveKeys` must. */
export function askKeys(deps: KeysDeps, request: PlainRequest, target: Target, answer: Answer): boolean {
  const { method, contentType, body } = request
  if (deps.access.enabled) return false
  const call: Call = { deps, method, key: keyOf(target.path), identity: LOCAL, answer }
  const media = method === 'PUT' || method === 'POST' ? readMedia(contentType) : NO_MEDIA
  const parameters = parametersOf(method, target.query, media.isForm ? body : undefined, media.fault)
  if (isFailure(parameters)) refuse(call, parameters, 0)
  else if (isWait(method, parameters)) return false
  else serve(call, parameters)
  return true
}

const NO_MEDIA: Media = { isForm: false, fault: undefined }

/** The rest of the body is not read: the connection ends with the answer. */
function refuseBody(call: HttpCall, why: 'large' | 'busy'): void {
  call.response.setHeader('Connection', 'close')
  call.response.shouldKeepAlive = false
  refuse(call, why === 'large' ? failure(210, 'http: POST too large') : failure(300, 'too many bodies at once'), 0)
}

function proceed(call: HttpCall, query: string, body: string | undefined, mediaFault: string | undefined): void {
  const parameters = parametersOf(call.method, query, body, mediaFault)
  if (isFailure(parameters)) refuse(call, parameters, 0)
  else if (!call.deps.access.enabled) serveOrWait(call, parameters)
  else serveIfAllowed(call, parameters)
}

function parametersOf(
  method: string,
  query: string,
  body: string | undefined,
  mediaFault: string | undefined,
): Parameters | Failure {
  const { form, fault } = parseForm(query, body, mediaFault)
  return fault === undefined ? parseParameters(form, method) : failure(210, fault)
}

function serveIfAllowed(call: HttpCall, parameters: Parameters): void {
  const { deps, method, request, caller, asked: key } = call
  const write = !isRead(method)
  const asking = { request, caller }
  deps.access.mayUseKey(asking, { key, write, recursive: parameters.recursive }).then(
    (isAllowed) => {
      if (isAllowed) serveOrWait(call, parameters)
      else refuse(call, failure(110, 'Insufficient credentials'), 0)
    },
    (error: unknown) => refuse(call, failure(300, String(error)), indexOf(call)),
  )
}

function refuse({ deps, answer }: Call, refused: Failure, index: number): void {
  answer(failureStatus(refused), failureHeaders(deps, index), failureBody(refused, index))
}

const failureHeaders = ({ clusterId }: Pick<KeysDeps, 'clusterId'>, index: number) => [
  ...['Content-Type', 'application/json', 'X-Etcd-Cluster-Id', clusterId, 'X-Etcd-Index', String(index)],
]

export function refuseFailure(
  deps: Pick<KeysDeps, 'clusterId'>,
  response: ServerResponse,
  refused: Failure,
  index: number,
): void {
  send(response, failureStatus(refused), failureHeaders(deps, index), failureBody(refused, index))
}

const isRead = (method: string) => method === 'GET' || method === 'HEAD'
/** A quorum's read does not wait. */
const isWait = (method: string, { wait, quorum }: Parameters) => isRead(method) && wait && !quorum

function serveOrWait(call: HttpCall, parameters: Parameters): void {
  if (isWait(call.method, parameters)) wait(call, parameters)
  else serve(call, parameters)
}

function serve(call: Call, parameters: Parameters): void {
  if (!isRead(call.method)) write(call, parameters)
  else if (refusedReading(call, parameters)) return
  else if (!parameters.quorum) get(call, parameters)
  else
    call.deps.catchUp().then(
      () => get(call, parameters),
      (error: unknown) =>
        refuse(call, failure(300, bytesOfText(error instanceof Error ? error.message : String(error))), indexOf(call)),
    )
}

function refusedReading(call: Call, { recursive, wait }: Parameters): boolean {
  const refused = call.deps.projecting?.mayRead(call.identity, { key: call.key, recursive, wait })
  if (refused) refuse(call, refused, 0)
  return refused !== undefined
}

const indexOf = ({ deps }: Call) => deps.replica.head.index

function wait(call: HttpCall, parameters: Parameters): void {
  if (refusedReading(call, parameters)) return
  const { deps, response, key } = call
  const { recursive, stream, waitIndex } = parameters
  // Indices are counted one by one, so what a number cannot hold is never reached.
  const since = waitIndex === 0n ? indexOf(call) + 1 : Number(waitIndex)
  deps.watching.start(response, { key, recursive, stream, since }, (refused) => refuse(call, refused, indexOf(call)))
}

function get(call: Call, { recursive, sorted }: Parameters): void {
  const { deps, answer, key } = call
  const { tree, head } = deps.replica
  const node = tree.get(key)
  deps.counters.count(node === undefined ? 'getsFail' : 'getsSuccess')
  if (node === undefined) {
    const absent = whyAbsent(tree, key)
    refuse(call, failure(absent.why === 'file' ? 104 : 100, absent.key), head.index)
    return
  }
  const body = renderTree(node, { recursive, sorted, nowMs: Date.now() })
  answer(200, deps.headers(head.index), `{"action":"get","node":${body}}\n`)
}

function write(call: Call, parameters: Parameters): void {
  const wanted = writeOf(call.method, call.key, parameters)
  call.deps.writer.submit(
    wanted,
    (answer) => {
      call.deps.counters.countWrite(wanted.do, answer.ok)
      answerWrite(call, answer, parameters.noValueOnSuccess)
    },
    call.identity,
  )
}

const SILENT: ReadonlySet<string> = new Set(['set', 'create', 'update', 'compareAndSwap'])

function answerWrite(call: Call, written: Written, isSilent: boolean): void {
  if (!written.ok) {
    refuse(call, written.failure, written.failure.code === 110 ? 0 : written.index)
    return
  }
  const { entry, isNew } = written.done
  const body = isSilent && SILENT.has(entry.action) ? `{"action":"${entry.action}"}\n` : entry.body
  call.answer(isNew ? 201 : 200, call.deps.headers(written.index), body)
}
