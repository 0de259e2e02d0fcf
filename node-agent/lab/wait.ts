/** Waiting for what the kernel tells nobody about (a frozen cgroup, a socket that appears): short looks, one deadline. */
import { setTimeout as delay } from 'node:timers/promises'

export interface WaitOptions {
  readonly timeoutMs: number
  /** What is awaited, for the error. */
  readonly what: string
  readonly everyMs?: number
  readonly signal?: AbortSignal | undefined
}

/** Resolves with the first value that is not undefined. Rejects at the deadline, on abort, or when `look` throws. */
export async function waitFor<T>(
  look: () => T | undefined | Promise<T | undefined>,
  { timeoutMs, what, everyMs = 10, signal }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    signal?.throwIfAborted()
    const seen = await look()
    if (seen !== undefined) return seen
    if (performance.now() >= deadline) throw new Error(`${what}: not within ${timeoutMs} ms`)
    await delay(everyMs, undefined, { signal })
  }
}
