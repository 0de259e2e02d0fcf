/**
 * A deadline for a call that somebody may also cancel. `AbortSignal.any` is not used: on Node 20 every call of it leaks
 * (D11). The listener on the parent and the timer are both gone when the promise settles.
 */

/** The call took longer than it was allowed to. A cancelled call rejects with the parent's reason instead. */
export class DeadlineError extends Error {
  readonly timeoutMs: number
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`)
    this.name = 'DeadlineError'
    this.timeoutMs = timeoutMs
  }
}

/**
 * Runs `fn` with a signal that fires after `timeoutMs` or when `signal` does, and settles no later than that even when
 * `fn` ignores its signal. Rejects with `DeadlineError`, with `signal.reason`, or with what `fn` throws.
 */
export async function withDeadline<T>(
  signal: AbortSignal | undefined,
  timeoutMs: number,
  fn: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const child = new AbortController()
  const cancel = () => child.abort(signal?.reason)
  const timer = setTimeout(() => child.abort(new DeadlineError(timeoutMs)), timeoutMs)
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    return await Promise.race([fn(child.signal), rejectOnAbort(child.signal)])
  } catch (error) {
    // Libraries wrap the reason in errors of their own; the caller asked for the reason.
    throw child.signal.aborted ? child.signal.reason : error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
  }
}

/** Never resolves. The signal is private to one call, so its listener goes with it. */
function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
