/**
 * Consistent reads from the caches: after `ensure` they show every write that was answered, by whichever server, before
 * it was called.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Revision, Store } from '../store/store.ts'
import { StatusError } from './errors.ts'
import type { Feed } from './feed.ts'

export class Freshness {
  readonly #store: Pick<Store, 'readRevision'>
  readonly #feed: Pick<Feed, 'revision'>
  /** The feed has had all up to here, which may be writes that it does not look at. */
  #passed: Revision = 0n

  constructor(store: Pick<Store, 'readRevision'>, feed: Pick<Feed, 'revision'>) {
    this.#store = store
    this.#feed = feed
  }

  /** One round trip to etcd, shared by all who wait; nothing where this process owns the store. */
  async ensure(): Promise<void> {
    const revision = await this.#store.readRevision()
    if (revision <= this.#feed.revision || revision <= this.#passed) return
    // The store has handed it out: the feed, which never waits for anything else, takes it within this turn.
    await nextTurn()
    this.#passed = revision
  }

  /** What `attempt` gives; where it says "not found" or "conflict" of a cache that was behind, it is made once more. */
  async retryIfBehind<T>(attempt: () => Promise<T>): Promise<T> {
    const before = this.#feed.revision
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof StatusError) || ![404, 409].includes(error.status.code)) throw error
      await this.ensure()
      if (this.#feed.revision === before) throw error
      return attempt()
    }
  }
}
