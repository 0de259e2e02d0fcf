/** The store's answer, or an error when it takes too long. What was given up on may still happen. */
export async function inTime<T>(fn: (signal: AbortSignal) => Promise<T>, timeoutMs: number): Promise<T> {
  const controller = new AbortController()
  const late = new Error('etcdserver: request timed out')
  const timer = setTimeout(() => controller.abort(late), timeoutMs)
  try {
    return await fn(controller.signal)
  } finally {
    clearTimeout(timer)
  }
}
