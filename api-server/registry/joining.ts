/**
 * A cache that is filled while the feed goes on. It is loaded as of one revision; what comes after that revision waits
 * here and is applied when the load is complete, so nothing is lost and nothing is seen twice.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Kind } from '../../crds/kind.ts'
import { type Event, type KeyValue, prefixRange, type Range, type Revision, type Store } from '../store/store.ts'
import { kindPrefix } from './encode.ts'
import { KindCache } from './kind-cache.ts'

const LIST_PAGE = 5_000
/** So many objects are loaded before others get their turn. */
const LOAD_TOGETHER = 128
/** So many changes during one load mean that it will never end; it is given up and begun again. */
const MAX_LATE = 100_000

export class Joining {
  readonly cache: KindCache
  readonly #prefix: string
  #late: Event[] = []
  #isSpoilt = false

  constructor(kind: Kind) {
    this.cache = new KindCache(kind)
    this.#prefix = kindPrefix(kind)
  }

  /** What the feed applies meanwhile, whatever it is about. */
  note(batch: readonly Event[]): void {
    for (const event of batch)
      if (event.kv.key.startsWith(this.#prefix) && this.#late.length <= MAX_LATE) this.#late.push(event)
  }

  /** Changes are lost that nobody can note any more: what was loaded is good for nothing. */
  spoil(): void {
    this.#isSpoilt = true
  }

  /** Must be noted every change after `at`. */
  async load(store: Store, at: Revision): Promise<void> {
    for await (const { items } of pages(store, prefixRange(this.#prefix), at))
      for (const [index, { key, value, modified }] of items.entries()) {
        this.cache.load(key.slice(this.#prefix.length), value, modified)
        if (index % LOAD_TOGETHER === LOAD_TOGETHER - 1) await nextTurn()
      }
    this.cache.reset(at)
  }

  /** Brings the cache to where the feed is; from now on the cache itself is told. */
  finish(): KindCache {
    if (this.#isSpoilt) throw new Error(`the history that ${this.#prefix} was loaded with is gone`)
    if (this.#late.length > MAX_LATE) throw new Error(`${this.#prefix} changes faster than it can be loaded`)
    for (const { type, kv } of this.#late.splice(0)) {
      const key = kv.key.slice(this.#prefix.length)
      if (type === 'put') this.cache.put(key, kv.value, kv.modified)
      else this.cache.remove(key, kv.modified)
    }
    return this.cache
  }
}

/** All of a range as of one revision: `at`, or the newest when the first page is read. */
export async function* pages(
  store: Store,
  { start, end }: Range,
  at?: Revision,
): AsyncGenerator<{ readonly revision: Revision; readonly items: readonly KeyValue[] }> {
  let revision = at
  for (let from = start; ; ) {
    const options = { limit: LIST_PAGE, ...(revision !== undefined && { at: revision }) }
    const page = await store.list({ start: from, end }, options)
    revision ??= page.revision
    yield { revision, items: page.items }
    const last = page.items.at(-1)
    if (!page.more || last === undefined) return
    from = `${last.key}\0`
  }
}
