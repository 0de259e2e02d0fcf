/** Reads: linearizable, page by page, every page as of one revision. */
import { compareKeys } from '../keys.ts'
import {
  type CallOptions,
  CompactedError,
  FutureRevisionError,
  type GetResult,
  type KeyValue,
  type ListResult,
  prefixRange,
  type Range,
  type Revision,
} from '../store.ts'
import type { Endpoints } from './endpoints.ts'
import { isCompacted, isFuture } from './errors.ts'
import { type Counting, keyValueOf, type Layout } from './layout.ts'
import type { EtcdKeyValue, RangeAnswer, RangeRequest, TxnAnswer } from './messages.ts'
import { headAt, readOf } from './meta.ts'

export interface ReadDeps {
  readonly endpoints: Endpoints
  readonly layout: Layout
  readonly counting: Counting
  /** Oldest revision that can be read, as far as this process knows; newest that it knows. */
  readonly span: () => { readonly compacted: Revision; readonly revision: Revision }
}

type At = CallOptions & { readonly at?: Revision }

/** What etcd has in a range at some moment, and when that was: the store's revision and etcd's own. */
interface Found {
  readonly revision: Revision
  readonly etcdRevision: string
  readonly answer: RangeAnswer
}

/** etcd bounds a page by its keys only. The next page's limit follows from how large the keys of this one were. */
const FIRST_PAGE_KEYS = 32
const MAX_PAGE_KEYS = 5_000
const PAGE_BYTES = 4 * 1024 * 1024
const GROWTH = 8

interface Page {
  readonly kvs: readonly EtcdKeyValue[]
  readonly more: boolean
  readonly first: Found
}

export class EtcdReads {
  readonly #deps: ReadDeps

  constructor(deps: ReadDeps) {
    this.#deps = deps
  }

  async get(key: string, { at, signal }: At = {}): Promise<GetResult> {
    signal?.throwIfAborted()
    const { layout, counting } = this.#deps
    const request = { key: layout.physical(key) }
    const { revision, answer } = await this.#find(at, request, signal)
    const kv = answer.kvs[0]
    return { revision, kv: kv && keyValueOf(key, kv, counting) }
  }

  async list(range: Range, options: At & { readonly limit?: number } = {}): Promise<ListResult> {
    const { limit = Number.POSITIVE_INFINITY, signal } = options
    signal?.throwIfAborted()
    const asked = compareKeys(range.start, range.end) < 0 ? range : { start: '', end: '' }
    const items: KeyValue[] = []
    let result: ListResult | undefined
    for await (const { kvs, more, first } of this.#pages(asked, options, () => limit - items.length)) {
      for (const kv of kvs) items.push(this.#plain(kv))
      result = { revision: first.revision, items, more }
      if (items.length >= limit) break
    }
    if (result === undefined) throw new Error('etcd gave no page')
    return result
  }

  /** How many keys there were at `revision`. */
  async count(revision: Revision, signal: AbortSignal | undefined): Promise<number> {
    const request = { ...this.#deps.layout.data, count_only: true }
    return Number((await this.#find(revision, request, signal)).answer.count)
  }

  /** All keys of `revision`, in order. */
  async *everything(at: Revision, signal: AbortSignal | undefined): AsyncGenerator<KeyValue> {
    const options = { at, ...(signal && { signal }) }
    for await (const { kvs } of this.#pages(prefixRange(''), options, () => MAX_PAGE_KEYS))
      yield* kvs.map((kv) => this.#plain(kv))
  }

  /** All pages of a range, each as large as `room()` says and its bytes allow. */
  async *#pages(range: Range, { at, signal }: At, room: () => number): AsyncGenerator<Page> {
    const { key, range_end } = this.#deps.layout.range(range)
    let from: Uint8Array = key
    let size = FIRST_PAGE_KEYS
    let first: Found | undefined
    for (;;) {
      const request = { key: from, range_end, limit: Math.min(size, room()) }
      const found = await (first ? this.#following(first, request, signal) : this.#find(at, request, signal))
      first ??= found
      const { kvs, more } = found.answer
      yield { kvs, more, first }
      const last = kvs.at(-1)
      if (!more || last === undefined) return
      from = Buffer.concat([last.key, Buffer.from([0])])
      size = nextSize(size, kvs)
    }
  }

  #find(at: Revision | undefined, request: RangeRequest, signal: AbortSignal | undefined): Promise<Found> {
    return at === undefined ? this.#now(request, signal) : this.#at(at, request, signal)
  }

  async #now(request: RangeRequest, signal: AbortSignal | undefined): Promise<Found> {
    const { endpoints, layout, counting } = this.#deps
    const both = { compare: [], success: [readOf(layout.head), { request_range: request }], failure: [] }
    const answer = await endpoints.call<TxnAnswer>('KV.Txn', both, { repeatable: true, signal })
    const [head, range] = answer.responses.map(({ response_range }) => response_range)
    const { revision, readAt } = headAt(head?.kvs[0], answer)
    if (range === undefined) throw new Error('etcd left out an answer')
    return { revision: counting.seam(revision), etcdRevision: String(readAt), answer: range }
  }

  async #at(revision: Revision, request: RangeRequest, signal: AbortSignal | undefined): Promise<Found> {
    const { counting, span } = this.#deps
    if (revision < span().compacted) throw new CompactedError(span().compacted)
    const etcdRevision = String(counting.etcd(revision))
    try {
      return { revision, etcdRevision, answer: await this.#range({ ...request, revision: etcdRevision }, signal) }
    } catch (error) {
      if (isFuture(error)) throw new FutureRevisionError(revision, span().revision)
      if (!isCompacted(error)) throw error
      // Others share this etcd, and compacted it while nothing happened here: then the present is what is asked for.
      const found = await this.#now(request, signal)
      if (found.revision <= revision) return { ...found, revision }
      throw new CompactedError(span().compacted > revision ? span().compacted : revision + 1n)
    }
  }

  async #following(first: Found, request: RangeRequest, signal: AbortSignal | undefined): Promise<Found> {
    try {
      return { ...first, answer: await this.#range({ ...request, revision: first.etcdRevision }, signal) }
    } catch (error) {
      if (!isCompacted(error)) throw error
      return this.#at(first.revision, request, signal)
    }
  }

  #range(request: RangeRequest, signal: AbortSignal | undefined): Promise<RangeAnswer> {
    return this.#deps.endpoints.call<RangeAnswer>('KV.Range', request, { repeatable: true, signal })
  }

  #plain(kv: EtcdKeyValue): KeyValue {
    const { layout, counting } = this.#deps
    return keyValueOf(layout.logical(kv.key) ?? '', kv, counting)
  }
}

function nextSize(size: number, kvs: readonly EtcdKeyValue[]): number {
  const bytes = kvs.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
  const fitting = Math.floor(PAGE_BYTES / Math.max(1, bytes / kvs.length))
  return Math.max(1, Math.min(fitting, size * GROWTH, MAX_PAGE_KEYS))
}
