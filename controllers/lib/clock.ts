/** Time as an argument: the monotonic clock for intervals and judgement, the wall clock only for timestamps. */
export interface Clock {
  /** Milliseconds that never jump; comparable within one process only. */
  monotonicMs(): number
  /** Wall time, for timestamps that people and other processes read. */
  now(): Date
  /** Calls `fn` once after `delayMs`; the returned function cancels it and may be called at any time. */
  timer(delayMs: number, fn: () => void): () => void
}

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  now: () => new Date(),
  timer: (delayMs, fn) => {
    const timer = setTimeout(fn, delayMs)
    return () => clearTimeout(timer)
  },
}

/** Resolves true after `delayMs`, false as soon as `signal` fires; never rejects, so loops read `while (await sleep(…))`. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false)
  return new Promise((resolve) => {
    const stop = () => {
      cancel()
      resolve(false)
    }
    const cancel = clock.timer(delayMs, () => {
      signal.removeEventListener('abort', stop)
      resolve(true)
    })
    signal.addEventListener('abort', stop, { once: true })
  })
}

/** Resolves once `signal` fires. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
