/**
 * The part of etcd's v2 API that locks, elections and discovery need, over plain HTTP. Rules and error codes are those of
 * etcd's "v2 API" and "v2 error code" documents, checked against etcd 2.3.8 and 3.4.23.
 *
 * A call goes to one server. When that one does not answer, the next call goes to the next server: callers retry, and
 * only they know whether a write may be sent twice.
 */
import { Agent, type Dispatcher, request } from 'undici'
import { DeadlineError, withDeadline } from '../../controllers/lib/deadline.ts'
import type { Endpoint } from './endpoints.ts'
import { type ErrorBody, KeysError, UnavailableError } from './keys-error.ts'

export interface KeyNode {
  readonly key: string
  readonly value?: string
  readonly dir?: boolean
  /** Seconds left, rounded up; absent without a TTL, and in the last moment of one. */
  readonly ttl?: number
  /** RFC 3339, by the server's clock; absent without a TTL. */
  readonly expiration?: string
  readonly createdIndex: number
  readonly modifiedIndex: number
}

export interface Answer {
  readonly action: string
  readonly node: KeyNode
  /** The store's index when the answer was made. */
  readonly etcdIndex: number
}

export interface Call {
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

/** Every call rejects with KeysError (refused), UnavailableError (no answer in time, or 5xx), or the signal's reason. */
export interface KeysClient {
  /** PUT with prevExist=false: 105 where the key exists. Without `ttlSeconds` the key stays for good. */
  create(key: string, value: string, call: Call & { readonly ttlSeconds?: number }): Promise<Answer>
  /** A new TTL for a key that still has `value`: 101 or 100 where it has not. Wakes no watcher. May be sent twice. */
  refresh(key: string, value: string, call: Call & { readonly ttlSeconds: number }): Promise<Answer>
  /** What the cluster agrees on, not what one member remembers. */
  get(key: string, call: Call): Promise<Answer>
  /** compareAndDelete: 101 where the key was changed after `modifiedIndex`. */
  deleteAt(key: string, modifiedIndex: number, call: Call): Promise<Answer>
  /** The first event of the key at `index` or after; undefined when the server let the watcher go. 401: index too old. */
  nextEvent(key: string, index: number, call: Call): Promise<Answer | undefined>
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 3_000
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

interface Sent {
  readonly method: Dispatcher.HttpMethod
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly form?: Readonly<Record<string, string>>
}

/** `endpoints` in order of preference; at least one. Throws a sentence when there is none. */
export function createKeysClient(endpoints: readonly Endpoint[]): KeysClient {
  const [first] = endpoints
  if (first === undefined) throw new Error('no endpoint of an etcd v2 API is given')
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    // Waits are long and silent; every call has a deadline of its own.
    ...{ headersTimeout: 0, bodyTimeout: 0, maxResponseSize: MAX_ANSWER_BYTES },
  })
  let preferred = 0
  const call = async (sent: Sent, { signal, timeoutMs }: Call): Promise<Answer | undefined> => {
    const endpoint = endpoints[preferred % endpoints.length] ?? first
    try {
      return await withDeadline(signal, timeoutMs, (limit) => exchange(agent, endpoint, sent, limit))
    } catch (error) {
      if (error instanceof KeysError || signal.aborted) throw error
      preferred += 1
      throw error instanceof UnavailableError ? error : unavailable(endpoint, error)
    }
  }
  const must = async (sent: Sent, how: Call): Promise<Answer> => {
    const answer = await call(sent, how)
    if (answer === undefined) throw new UnavailableError(sent.path, 'answered with nothing')
    return answer
  }
  const put = (key: string, query: Sent['query'], form: Record<string, string>, how: Call) =>
    must({ method: 'PUT', path: pathOf(key), ...(query && { query }), form }, how)
  return {
    create: (key, value, { ttlSeconds, ...how }) =>
      put(key, { prevExist: 'false' }, { value, ...(ttlSeconds && { ttl: String(ttlSeconds) }) }, how),
    refresh: (key, value, { ttlSeconds, ...how }) =>
      put(key, { prevExist: 'true', prevValue: value }, { refresh: 'true', ttl: String(ttlSeconds) }, how),
    get: (key, how) => must({ method: 'GET', path: pathOf(key), query: { quorum: 'true' } }, how),
    deleteAt: (key, modifiedIndex, how) =>
      must({ method: 'DELETE', path: pathOf(key), query: { prevIndex: String(modifiedIndex) } }, how),
    nextEvent: (key, index, how) =>
      call({ method: 'GET', path: pathOf(key), query: { wait: 'true', waitIndex: String(index) } }, how),
    close: () => agent.destroy(),
  }
}

/** `/locks/backup` to the path below an endpoint. */
export function pathOf(key: string): string {
  const segments = key.split('/').filter((segment) => segment !== '')
  return `/v2/keys/${segments.map(encodeURIComponent).join('/')}`
}

async function exchange(
  agent: Agent,
  { url, authorization }: Endpoint,
  { method, path, query, form }: Sent,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  const search = query === undefined ? '' : `?${new URLSearchParams(query)}`
  const response = await request(`${url}${path}${search}`, {
    dispatcher: agent,
    method,
    signal,
    headers: {
      ...(authorization !== undefined && { authorization }),
      ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
    },
    body: form ? new URLSearchParams(form).toString() : null,
  })
  const text = await response.body.text()
  if (response.statusCode === 200 && text.trim() === '') return undefined
  return read(url, response.statusCode, text, Number(response.headers['x-etcd-index']))
}

function read(url: string, status: number, text: string, etcdIndex: number): Answer {
  const body = parse(text)
  if (body?.node !== undefined && status < 300) return { ...(body as unknown as Answer), etcdIndex }
  if (status >= 500) throw new UnavailableError(url, `cannot serve now: ${body?.message ?? `HTTP ${status}`}`)
  if (typeof body?.errorCode === 'number') throw new KeysError(body as unknown as ErrorBody)
  throw new Error(`${url} does not speak etcd's v2 API (HTTP ${status}); etcd 3 does with --enable-v2`)
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined // not JSON: the caller says what that means
  }
}

function unavailable({ url }: Endpoint, error: unknown): Error {
  if (error instanceof DeadlineError) return new UnavailableError(url, `gave ${error.message}`, error)
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (typeof code !== 'string' && error instanceof Error) return error
  return new UnavailableError(url, `does not answer: ${String(code ?? message)}`, error)
}
