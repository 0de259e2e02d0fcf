/**
 * Calls to whichever member answers. One endpoint is current; whoever finds that it does not answer leaves it, for all.
 *
 * A call that may have been sent is repeated only where the caller says that twice is as good as once. What is certain
 * not to have been tried (no connection, a member without a leader) is taken elsewhere in any case.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ServiceError } from '@grpc/grpc-js'
import type { Logger } from 'pino'
import { UnavailableError } from '../store.ts'
import { abortable } from './abortable.ts'
import { type Endpoint, type EtcdTls, endpointAt } from './endpoint.ts'
import { type Fate, fateOf, isCompacted, isFuture, refusalOf } from './errors.ts'
import type { Answer, StatusAnswer } from './messages.ts'

export interface Timeouts {
  /** One try at one member. */
  readonly attemptMs: number
  /** All tries of one call. */
  readonly callMs: number
}

export const DEFAULT_TIMEOUTS: Timeouts = { attemptMs: 3_000, callMs: 10_000 }

export interface EndpointsOptions {
  readonly urls: readonly string[]
  readonly tls?: EtcdTls
  readonly timeouts?: Timeouts
  readonly log?: Pick<Logger, 'info' | 'warn'> | undefined
}

export interface CallOptions {
  /** Whether the request may be made twice. */
  readonly repeatable: boolean
  /** It changes something: when it was sent and no answer came, the caller must be told that nobody knows. */
  readonly writes?: boolean
  readonly signal?: AbortSignal | undefined
}

/** Nobody knows whether the request was carried out: it was sent, and no answer came. */
export class AmbiguousError extends UnavailableError {}

type Method = Parameters<Endpoint['call']>[0]

const PAUSE_MS = 50

export class Endpoints {
  readonly timeouts: Timeouts
  readonly #tls: EtcdTls
  #all: readonly Endpoint[]
  readonly #log: EndpointsOptions['log']
  readonly #probes = new Map<Endpoint, Promise<unknown>>()
  /** What was wrong with each when it was last left. */
  readonly #faults = new Map<Endpoint, string>()
  readonly #onLeft = new Set<(left: Endpoint) => void>()
  /** Those whose last answer came from another cluster than the first answer of all. */
  readonly #strangers = new Set<Endpoint>()
  #at = 0
  #clusterId: string | undefined
  #closed = false

  constructor({ urls, tls = {}, timeouts = DEFAULT_TIMEOUTS, log }: EndpointsOptions) {
    if (urls.length === 0) throw new Error('no etcd endpoint was given')
    this.#tls = tls
    this.#all = urls.map((url) => endpointAt(url, tls))
    this.timeouts = timeouts
    this.#log = log
  }

  get current(): Endpoint {
    return this.#all[this.#at] as Endpoint
  }

  /** Calls `listener` whenever an endpoint is left for another one, until the returned function is called. */
  onLeft(listener: (left: Endpoint) => void): () => void {
    this.#onLeft.add(listener)
    return () => this.#onLeft.delete(listener)
  }

  /** These are the members from now on. The current one stays so where it is among them; calls under way are not cut. */
  update(urls: readonly string[]): void {
    if (this.#closed || urls.length === 0) return
    const { current } = this
    const known = new Map(this.#all.map((each) => [each.url, each]))
    const gone = this.#all.filter(({ url }) => !urls.includes(url))
    this.#all = urls.map((url) => known.get(url) ?? endpointAt(url, this.#tls))
    this.#at = Math.max(0, this.#all.indexOf(current))
    for (const endpoint of gone) {
      this.#faults.delete(endpoint)
      setTimeout(() => endpoint.close(), this.timeouts.callMs).unref()
    }
    if (this.current !== current) for (const listener of this.#onLeft) listener(current)
  }

  /** `endpoint` does not do: others use the next one from now on. */
  leave(endpoint: Endpoint, why: string): void {
    this.#faults.set(endpoint, why)
    if (endpoint !== this.current || this.#all.length === 1) return
    this.#at = (this.#at + 1) % this.#all.length
    this.#log?.warn({ left: endpoint.url, now: this.current.url, why }, 'etcd endpoint left for the next one')
    for (const listener of this.#onLeft) listener(endpoint)
  }

  /** Nobody is left of the cluster that answered first: it was made anew, under its old addresses. */
  get areElsewhere(): boolean {
    return this.#all.every((endpoint) => this.#strangers.has(endpoint))
  }

  /** Throws UnavailableError where an answer comes from another cluster than the first one did. */
  check(endpoint: Endpoint, { header }: Answer): void {
    const id = header?.cluster_id
    if (id === undefined || id === '0') return
    this.#clusterId ??= id
    this.#strangers.delete(endpoint)
    if (id === this.#clusterId) return
    this.#strangers.add(endpoint)
    const why = `it belongs to another etcd cluster (id ${id}) than the other endpoints (id ${this.#clusterId})`
    this.leave(endpoint, why)
    throw new UnavailableError(`${endpoint.url}: ${why}`)
  }

  /**
   * Rejects with `UnavailableError` (`AmbiguousError` where it may have been done), `InvalidTransactionError`, the
   * signal's reason, or grpc-js' own error for a revision that is compacted or in the future.
   */
  async call<T extends Answer>(method: Method, request: object, options: CallOptions): Promise<T> {
    const { signal, writes } = options
    let sent = false
    const deadlineMs = performance.now() + this.timeouts.callMs
    for (let tries = 1; ; tries++) {
      if (this.#closed) throw new UnavailableError('the store is closed')
      signal?.throwIfAborted()
      const endpoint = this.current
      const timeoutMs = Math.min(this.timeouts.attemptMs, deadlineMs - performance.now())
      if (timeoutMs <= 0) throw inDoubt(new UnavailableError(this.#noneAnswers()), sent && writes)
      try {
        return await this.#attempt<T>(endpoint, method, request, { timeoutMs, signal })
      } catch (error) {
        sent = this.#judge(endpoint, error, options, sent) === 'unknown' || sent
      }
      if (tries % this.#all.length === 0) await delay(PAUSE_MS)
    }
  }

  close(): void {
    this.#closed = true
    for (const endpoint of this.#all) endpoint.close()
  }

  async #attempt<T extends Answer>(
    endpoint: Endpoint,
    method: Method,
    request: object,
    limits: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<T> {
    if (!endpoint.connected) await abortable(this.#connect(endpoint), limits.signal)
    const answer = await endpoint.call<T>(method, request, limits)
    this.check(endpoint, answer)
    return answer
  }

  /** Returns where another try makes sense, and throws what the caller is to know where none does. */
  #judge(endpoint: Endpoint, error: unknown, { repeatable, writes, signal }: CallOptions, sent: boolean): Fate {
    if (signal?.aborted || isCompacted(error) || isFuture(error)) throw error
    if (error instanceof UnavailableError) throw inDoubt(error, sent && writes)
    const failure = error as ServiceError
    if (failure.code === undefined) throw error
    const fate = (failure as { fate?: Fate }).fate ?? fateOf(failure)
    if (fate === 'refused') throw inDoubt(refusalOf(failure), sent && writes)
    this.leave(endpoint, failure.details)
    if (fate === 'unknown' && !repeatable)
      throw inDoubt(new UnavailableError(`${endpoint.url} does not answer: ${failure.details}`), writes)
    return fate
  }

  /** So that a call is known not to have been sent where there is no connection. One probe for all who wait. */
  async #connect(endpoint: Endpoint): Promise<void> {
    let probe = this.#probes.get(endpoint)
    if (probe === undefined) {
      probe = endpoint.call<StatusAnswer>('Maintenance.Status', {}, { timeoutMs: this.timeouts.attemptMs })
      this.#probes.set(endpoint, probe)
      probe.catch(() => undefined).finally(() => this.#probes.delete(endpoint))
    }
    await probe.catch((error: ServiceError) => {
      // Whatever it refuses, it is there.
      if (fateOf(error) !== 'refused') throw Object.assign(error, { fate: 'not tried' })
    })
  }

  #noneAnswers(): string {
    const faults = this.#all.map((each) => `${each.url} (${shortened(this.#faults.get(each) ?? 'no answer')})`)
    return `no etcd endpoint answers: ${faults.join(', ')}`
  }
}

/** `error`, or where an earlier try may have been carried out, that nobody knows. */
function inDoubt(error: Error, doubt: boolean | undefined): Error {
  if (!doubt) return error
  return new AmbiguousError(`${error.message}; it may have been written or not: read before writing it again`)
}

/** grpc-js' "No connection established. Last error: connect ECONNREFUSED … Resolution note: " without its frame. */
function shortened(details: string): string {
  return /Last error: (?:Error: )?(.*?)\.? Resolution note/s.exec(details)?.[1] ?? details
}
