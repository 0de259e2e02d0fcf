/**
 * Live fan-out: one publisher, any number of watchers, each with a bounded buffer of events that it has not taken yet.
 * Everything is synchronous: a publish puts the events into the hands of those who wait before it returns.
 */
import { rangeTest } from './keys.ts'
import { type Event, type Range, SlowWatcherError } from './store.ts'

export interface Bounds {
  /** Events and value bytes that may wait for one watcher. */
  readonly maxEvents: number
  readonly maxBytes: number
}

export const DEFAULT_BOUNDS: Bounds = { maxEvents: 20_000, maxBytes: 64 * 1024 * 1024 }

/** One watcher's end of the hub. */
export interface Subscription {
  /** All that has arrived, oldest first, now or as soon as there is something; undefined once ended. Rejects when failed. */
  take(): Promise<readonly Event[] | undefined>
  end(): void
}

/** One change, and how to make its event once somebody wants it. */
export interface Publication {
  readonly key: string
  readonly event: () => Event
}

export interface WatchHub {
  subscribe(range: Range): Subscription
  /** One transaction's changes. They reach `take()` at the next `deliver`, so that a commit's transactions go together. */
  publish(changes: readonly Publication[]): void
  deliver(): void
  /** Ends every watcher with `error`. */
  close(error: Error): void
  readonly size: number
}

interface Waiter {
  readonly resolve: (events: readonly Event[] | undefined) => void
  readonly reject: (error: Error) => void
}

class Watcher implements Subscription {
  readonly wants: (key: string) => boolean
  readonly #bounds: Bounds
  readonly #leave: (watcher: Watcher) => void
  #events: Event[] = []
  #bytes = 0
  #waiter: Waiter | undefined
  #failure: Error | undefined
  #ended = false

  constructor(range: Range, bounds: Bounds, leave: (watcher: Watcher) => void) {
    this.wants = rangeTest(range)
    this.#bounds = bounds
    this.#leave = leave
  }

  take(): Promise<readonly Event[] | undefined> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#ended) return Promise.resolve(undefined)
    if (this.#events.length > 0) return Promise.resolve(this.#drain())
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject }
    })
  }

  push(event: Event): void {
    this.#events.push(event)
    this.#bytes += event.kv.value.byteLength
  }

  deliver(): void {
    if (this.#events.length === 0) return
    const waiter = this.#waiter
    this.#waiter = undefined
    if (waiter !== undefined) waiter.resolve(this.#drain())
    else if (this.#events.length > this.#bounds.maxEvents || this.#bytes > this.#bounds.maxBytes)
      this.fail(new SlowWatcherError())
  }

  end(): void {
    this.#ended = true
    this.#leave(this)
    this.#waiter?.resolve(undefined)
    this.#forget()
  }

  fail(error: Error): void {
    this.#failure = error
    this.#leave(this)
    this.#waiter?.reject(error)
    this.#forget()
  }

  #drain(): readonly Event[] {
    const events = this.#events
    this.#events = []
    this.#bytes = 0
    return events
  }

  #forget(): void {
    this.#waiter = undefined
    this.#drain()
  }
}

export function watchHub(bounds: Bounds = DEFAULT_BOUNDS): WatchHub {
  const watchers = new Set<Watcher>()

  function publishOne({ key, event }: Publication): void {
    let made: Event | undefined
    for (const watcher of watchers) {
      if (!watcher.wants(key)) continue
      made ??= event()
      watcher.push(made)
    }
  }
  return {
    subscribe(range) {
      const watcher = new Watcher(range, bounds, (gone) => watchers.delete(gone))
      watchers.add(watcher)
      return watcher
    },
    publish(changes) {
      if (watchers.size > 0) for (const change of changes) publishOne(change)
    },
    deliver() {
      for (const watcher of watchers) watcher.deliver()
    },
    close(error) {
      for (const watcher of watchers) watcher.fail(error)
    },
    get size() {
      return watchers.size
    },
  }
}
