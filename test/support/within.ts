import { setTimeout as delay } from 'node:timers/promises'

/**
 * Settles as `promise` does, or rejects after `timeoutMs` with an error that names `what` was awaited.
 * The promise itself is not cancelled: give what it stands for a deadline of its own.
 */
export async function within<T>(timeoutMs: number, promise: Promise<T>, what: string): Promise<T> {
  const done = new AbortController()
  const expired = delay(timeoutMs, undefined, { signal: done.signal }).then(() => {
    throw new Error(`${what}: not within ${timeoutMs} ms`)
  })
  // When the promise wins, the aborted delay rejects with nobody listening.
  expired.catch(() => undefined)
  try {
    return await Promise.race([promise, expired])
  } finally {
    done.abort()
  }
}
