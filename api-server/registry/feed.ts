/**
 * One store watch below `/r/` feeds the caches of all kinds in revision order. A writer waits here until the feed has
 * seen its own write, so that whoever was told of a success reads it.
 *
 *     store.watch ──batches──► feed ──put/remove──► KindCache ──Change──► watchers
 */
import type { Logger } from 'pino'
import type { Kind } from '../../crds/kind.ts'
import {
  type Event,
  prefixRange,
  type Revision,
  SlowWatcherError,
  type Store,
  UnavailableError,
} from '../store/store.ts'
import { kindPrefix, objectsPrefix } from './encode.ts'
import { KindCache } from './kind-cache.ts'

const LIST_PAGE = 5_000

interface Waiter {
  readonly revision: Revision
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class Feed {
  readonly #store: Store
  readonly #log: Logger
  readonly #caches = new Map<string, KindCache>()
  /** By where the objects are stored: a kind and its views see the same ones. */
  readonly #readers = new Map<string, KindCache[]>()
  #revision: Revision = 0n
  readonly #waiting = new Set<Waiter>()
  /** Why the caches will never change again. */
  #ended: Error | undefined

  constructor(store: Store, kinds: readonly Kind[], log: Logger) {
    this.#store = store
    this.#log = log
    for (const kind of kinds) {
      const cache = new KindCache(kind)
      const prefix = kindPrefix(kind)
      this.#caches.set(nameOf(kind), cache)
      this.#readers.set(prefix, [...(this.#readers.get(prefix) ?? []), cache])
    }
  }

  /** Newest revision that every cache reflects. */
  get revision(): Revision {
    return this.#revision
  }

  cache(kind: Pick<Kind, 'group' | 'plural'>): KindCache {
    const cache = this.#caches.get(nameOf(kind))
    if (cache === undefined) throw new Error(`no cache for ${kind.plural}`)
    return cache
  }

  get caches(): Iterable<KindCache> {
    return this.#caches.values()
  }

  /** Loads everything; afterwards `run` keeps it current. */
  async load(): Promise<void> {
    const range = prefixRange(objectsPrefix)
    let start = range.start
    let at: Revision | undefined
    for (;;) {
      const page = await this.#store.list(
        { start, end: range.end },
        { limit: LIST_PAGE, ...(at !== undefined && { at }) },
      )
      at ??= page.revision
      for (const { key, value, modified } of page.items) {
        const place = this.#place(key)
        for (const cache of place.caches) cache.load(place.key, value, modified)
      }
      const last = page.items.at(-1)
      if (!page.more || last === undefined) break
      start = `${last.key}\0`
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
      if (!(error instanceof SlowWatcherError)) throw error
      this.#log.warn({ revision: this.#revision }, 'feed fell behind the store and resumes')
    }
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

function nameOf({ group, plural }: Pick<Kind, 'group' | 'plural'>): string {
  return `${group}/${plural}`
}
