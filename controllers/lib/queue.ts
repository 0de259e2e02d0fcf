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

interface State {
  readonly clock: Clock
  /** client-go's queue and dirty set in one: a Set keeps insertion order and makes membership cheap. */
  readonly waiting: Set<string>
  readonly working: Set<string>
  /** Added while being worked. */
  readonly again: Set<string>
  readonly delayed: Map<string, Delayed>
  /** One for each worker that has nothing to do. */
  readonly takers: Set<() => void>
}

export function createQueue({
  clock = systemClock,
  backoff = { firstMs: 10, maxMs: 30_000 },
}: QueueOptions = {}): WorkQueue {
  const state: State = {
    clock,
    waiting: new Set(),
    working: new Set(),
    again: new Set(),
    delayed: new Map(),
    takers: new Set(),
  }
  const failures = new Map<string, number>()
  return {
    add: (key, { afterMs = 0 } = {}) => (afterMs > 0 ? addLater(state, key, afterMs) : addNow(state, key)),
    retry: (key) => {
      const count = failures.get(key) ?? 0
      failures.set(key, count + 1)
      const afterMs = backoffMs(backoff, count)
      addLater(state, key, afterMs)
      return afterMs
    },
    forget: (key) => void failures.delete(key),
    take: (signal) => take(state, signal),
    done: (key) => {
      state.working.delete(key)
      if (state.again.delete(key)) addNow(state, key)
    },
    get size() {
      return state.waiting.size
    },
    clear: () => {
      for (const { cancel } of state.delayed.values()) cancel()
      for (const keys of [state.waiting, state.again, state.delayed, failures]) keys.clear()
    },
  }
}

function addNow({ delayed, working, again, waiting, takers }: State, key: string): void {
  delayed.get(key)?.cancel()
  delayed.delete(key)
  if (working.has(key)) {
    again.add(key)
    return
  }
  waiting.add(key)
  const [wake] = takers
  if (!wake) return
  takers.delete(wake)
  wake()
}

function addLater(state: State, key: string, afterMs: number): void {
  const dueMs = state.clock.monotonicMs() + afterMs
  const earlier = state.delayed.get(key)
  if (earlier && earlier.dueMs <= dueMs) return
  earlier?.cancel()
  state.delayed.set(key, { dueMs, cancel: state.clock.timer(afterMs, () => addNow(state, key)) })
}

async function take(state: State, signal: AbortSignal): Promise<string | undefined> {
  while (!signal.aborted) {
    const [key] = state.waiting
    if (key !== undefined) {
      state.waiting.delete(key)
      state.working.add(key)
      return key
    }
    await wakeUp(state.takers, signal)
  }
  return undefined
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
