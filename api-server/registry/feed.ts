/**
 * One store watch below `/r/` feeds the caches of all kinds in revision order. A writer waits here until the feed has
 * seen its own write, so that whoever was told of a success reads it.
 *
 *     store.watch ──batches──► feed ──put/remove──► KindCache ──Change──► watchers
 *
 * Users' own kinds come and go while it runs (`follow`).
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Kind } from '../../crds/kind.ts'
import {
  CompactedError,
  type Event,
  prefixRange,
  ReplacedError,
  type Revision,
  SlowWatcherError,
  type Store,
  UnavailableError,
} from '../store/store.ts'
import { kindPrefix, objectsPrefix } from './encode.ts'
import { noSuchPath } from './errors.ts'
import { Joining, pages } from './joining.ts'
import { KindCache } from './kind-cache.ts'
import { ServedKinds } from './served-kinds.ts'

const RETRY_MS = 1_000

interface Waiter {
  readonly revision: Revision
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class Feed {
  readonly #store: Store
  readonly #log: Logger
  readonly kinds: ServedKinds
  readonly #caches = new Map<string, KindCache>()
  /** By where the objects are stored: a kind, its versions and its views see the same ones. */
  readonly #readers = new Map<string, KindCache[]>()
  readonly #joining = new Set<Joining>()
  #revision: Revision = 0n
  readonly #waiting = new Set<Waiter>()
  /** Why the caches will never change again. */
  #ended: Error | undefined

  constructor(store: Store, kinds: readonly Kind[], log: Logger) {
    this.#store = store
    this.#log = log
    this.kinds = new ServedKinds(kinds)
    for (const kind of kinds) this.#install(new KindCache(kind))
  }

  #install(cache: KindCache): void {
    const prefix = kindPrefix(cache.kind)
    this.#caches.set(cache.kind.key, cache)
    this.#readers.set(prefix, [...(this.#readers.get(prefix) ?? []), cache])
  }

  #remove(cache: KindCache): void {
    const prefix = kindPrefix(cache.kind)
    const rest = (this.#readers.get(prefix) ?? []).filter((one) => one !== cache)
    this.#caches.delete(cache.kind.key)
    if (rest.length > 0) this.#readers.set(prefix, rest)
    else this.#readers.delete(prefix)
  }

  /** Newest revision that every cache reflects. */
  get revision(): Revision {
    return this.#revision
  }

  /** Throws 404 for a users' own kind that has gone meanwhile. */
  cache(kind: Pick<Kind, 'key'>): KindCache {
    const cache = this.#caches.get(kind.key)
    if (cache === undefined) throw noSuchPath()
    return cache
  }

  /** One cache for each place where objects are stored, however many versions and views of them are served. */
  get collections(): Iterable<KindCache> {
    const own = [...this.#caches.values()].filter(({ kind }) => kind.view === undefined)
    return new Map(own.map((cache) => [kindPrefix(cache.kind), cache])).values()
  }

  /**
   * Makes `custom` the users' own kinds that are followed and served. One that has changed takes over the watchers of the
   * one before; those of a kind that is gone are ended. Rejects, with everything as it was, when a kind cannot be loaded.
   * To be called again only when it has settled.
   */
  async follow(custom: readonly Kind[]): Promise<void> {
    const news = custom.filter((kind) => this.#caches.get(kind.key)?.kind !== kind).map((kind) => new Joining(kind))
    if (news.length === 0 && this.kinds.all.length === this.kinds.builtIn.length + custom.length) return
    try {
      for (const joining of news) {
        this.#joining.add(joining)
        await joining.load(this.#store, this.#revision)
      }
      this.#exchange(news, new Set(custom.map(({ key }) => key)))
      this.kinds.replaceCustom(custom)
    } finally {
      for (const joining of news) this.#joining.delete(joining)
    }
  }

  /** In one synchronous stretch, so that no change falls between the old and the new. */
  #exchange(news: readonly Joining[], wanted: ReadonlySet<string>): void {
    for (const cache of news.map((joining) => joining.finish())) {
      const before = this.#caches.get(cache.kind.key)
      if (before) this.#remove(before)
      this.#install(before ? cache.succeeding(before) : cache)
    }
    for (const cache of [...this.#caches.values()])
      if (cache.kind.structure && !wanted.has(cache.kind.key)) {
        this.#remove(cache)
        cache.watchers.end()
      }
  }

  /** Loads everything; afterwards `run` keeps it current. */
  async load(): Promise<void> {
    let at: Revision = 0n
    for await (const { revision, items } of pages(this.#store, prefixRange(objectsPrefix))) {
      at = revision
      for (const { key, value, modified } of items) {
        const place = this.#place(key)
        for (const cache of place.caches) cache.load(place.key, value, modified)
      }
    }
    for (const cache of this.#caches.values()) cache.reset(at)
    this.#advance(at)
  }

  /** Follows the store until `signal` aborts. Whoever waits when it ends, for whatever reason, gets UnavailableError. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.#follow(signal)
    } finally {
      this.#ended = new UnavailableError('the server no longer follows the store')
      for (const { reject } of this.#waiting) reject(this.#ended)
      this.#waiting.clear()
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    try {
      for await (const batch of this.#store.watch(prefixRange(objectsPrefix), { after: this.#revision, signal }))
        this.#apply(batch)
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof CompactedError) await this.#reloadAtLast(signal)
      else if (!(error instanceof SlowWatcherError)) throw error
      else this.#log.warn({ revision: this.#revision }, 'feed fell behind the store and resumes')
    }
  }

  /** A store that does not answer now may do so later; meanwhile what is served stays as it was. */
  async #reloadAtLast(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#reload()
        return
      } catch (error) {
        if (error instanceof ReplacedError) throw error
        this.#log.warn({ err: error }, 'what the feed missed cannot be loaded now, will retry')
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  /**
   * The changes that were missed are gone from the store's history, too: everything is loaded anew, beside what is served
   * meanwhile, and takes its place in one synchronous stretch.
   */
  async #reload(): Promise<void> {
    const missedAfter = this.#revision
    const at = await this.#store.readRevision()
    const news: (readonly [KindCache, Joining])[] = []
    for (const cache of [...this.#caches.values()]) {
      const joining = new Joining(cache.kind)
      await joining.load(this.#store, at)
      news.push([cache, joining])
    }
    for (const joining of this.#joining) joining.spoil()
    for (const [cache, joining] of news) cache.renew(joining.finish(), at)
    this.#advance(at)
    this.#log.warn({ missedAfter, revision: at }, 'the feed missed more than the history holds and has loaded all anew')
  }

  /** Resolves once the caches reflect `revision`; rejects with UnavailableError when they never will. */
  reached(revision: Revision): Promise<void> {
    return this.#wait(revision).reached
  }

  /** Whether the caches came to reflect `revision` within `timeoutMs`. */
  async reachedWithin(revision: Revision, timeoutMs: number): Promise<boolean> {
    if (revision <= this.#revision) return true
    const { reached, cancel } = this.#wait(revision)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs)
    })
    try {
      return await Promise.race([reached.then(() => true), late])
    } finally {
      clearTimeout(timer)
      cancel()
    }
  }

  #wait(revision: Revision): { readonly reached: Promise<void>; readonly cancel: () => void } {
    if (revision <= this.#revision) return { reached: Promise.resolve(), cancel: () => {} }
    let cancel = (): void => {}
    const reached = new Promise<void>((resolve, reject) => {
      const waiter = { revision, resolve, reject }
      if (this.#ended) reject(this.#ended)
      else this.#waiting.add(waiter)
      cancel = () => this.#waiting.delete(waiter)
    })
    return { reached, cancel }
  }

  #apply(batch: readonly Event[]): void {
    for (const joining of this.#joining) joining.note(batch)
    for (const { type, kv } of batch) {
      const place = this.#place(kv.key)
      for (const cache of place.caches)
        if (type === 'put') cache.put(place.key, kv.value, kv.modified)
        else cache.remove(place.key, kv.modified)
    }
    const last = batch.at(-1)
    if (last !== undefined) this.#advance(last.kv.modified)
  }

  #advance(revision: Revision): void {
    this.#revision = revision
    for (const waiter of this.#waiting) {
      if (waiter.revision > revision) continue
      this.#waiting.delete(waiter)
      waiter.resolve()
    }
  }

  #place(key: string): { readonly caches: readonly KindCache[]; readonly key: string } {
    const at = key.indexOf('/', key.indexOf('/', objectsPrefix.length) + 1) + 1
    return { caches: this.#readers.get(key.slice(0, at)) ?? [], key: key.slice(at) }
  }
}
