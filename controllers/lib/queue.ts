/**
 * The work queue of client-go in three sets: `waiting` in order, `dirty` (wants work), `working`. A key is never worked
 * twice at once; added while it is being worked it runs again afterwards; added ten times while waiting it runs once.
 * It holds keys only, so it is bounded by the number of objects.
 */
import { type BackoffOptions, backoffMs } from './backoff.ts'
import { type Clock, systemClock } from './clock.ts'

export interface WorkQueue {
  /** Wants `key` worked; with `afterMs` not before that, unless another add comes first. */
  add(key: string, options?: { readonly afterMs?: number }): void
  /** Wants `key` worked again after its own backoff, which doubles until `forget`. Returns the delay. */
  retry(key: string): number
  /** `key` went well: its backoff starts anew. */
  forget(key: string): void
  /** The next key, or undefined once `signal` has fired. The caller must `done` every key it took. */
  take(signal: AbortSignal): Promise<string | undefined>
  done(key: string): void
  /** Keys that wait to be taken; delayed ones do not count. */
  readonly size: number
  /** Drops everything that waits, timers too. */
  clear(): void
}

export interface QueueOptions {
  readonly clock?: Clock
  readonly backoff?: BackoffOptions
}

interface Delayed {
  readonly dueMs: number
  readonly cancel: () => void
}

export function createQueue({
  clock = systemClock,
  backoff = { firstMs: 10, maxMs: 30_000 },
}: QueueOptions = {}): WorkQueue {
  // A Set keeps insertion order and makes membership cheap: `waiting` is both client-go's slice and its dirty set.
  const waiting = new Set<string>()
  const again = new Set<string>()
  const working = new Set<string>()
  const delayed = new Map<string, Delayed>()
  const failures = new Map<string, number>()
  const takers = new Set<() => void>()

  const addNow = (key: string): void => {
    delayed.get(key)?.cancel()
    delayed.delete(key)
    if (working.has(key)) {
      again.add(key)
      return
    }
    waiting.add(key)
    for (const wake of takers) {
      takers.delete(wake)
      wake()
      return
    }
  }

  const addLater = (key: string, afterMs: number): void => {
    const dueMs = clock.monotonicMs() + afterMs
    const earlier = delayed.get(key)
    if (earlier && earlier.dueMs <= dueMs) return
    earlier?.cancel()
    delayed.set(key, { dueMs, cancel: clock.timer(afterMs, () => addNow(key)) })
  }

  const takeNow = (): string | undefined => {
    for (const key of waiting) {
      waiting.delete(key)
      working.add(key)
      return key
    }
    return undefined
  }

  return {
    add: (key, { afterMs = 0 } = {}) => (afterMs > 0 ? addLater(key, afterMs) : addNow(key)),
    retry: (key) => {
      const count = failures.get(key) ?? 0
      failures.set(key, count + 1)
      const afterMs = backoffMs(backoff, count)
      addLater(key, afterMs)
      return afterMs
    },
    forget: (key) => void failures.delete(key),
    take: async (signal) => {
      while (!signal.aborted) {
        const key = takeNow()
        if (key !== undefined) return key
        await wakeUp(takers, signal)
      }
      return undefined
    },
    done: (key) => {
      working.delete(key)
      if (again.delete(key)) addNow(key)
    },
    get size() {
      return waiting.size
    },
    clear: () => {
      for (const { cancel } of delayed.values()) cancel()
      for (const set of [waiting, again, delayed, failures]) set.clear()
    },
  }
}

/** Resolves when a key was added for this taker, or when `signal` fires. */
function wakeUp(takers: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      signal.removeEventListener('abort', stop)
      resolve()
    }
    const stop = () => {
      takers.delete(wake)
      resolve()
    }
    takers.add(wake)
    signal.addEventListener('abort', stop, { once: true })
  })
}
