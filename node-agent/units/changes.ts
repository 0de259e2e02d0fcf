/** Turns hints about units into batches: coalesced for a few milliseconds, never more than a bound, '' = look at all. */

const COALESCE_MS = 10
const MAX_NAMES = 4096

/**
 * @param subscribe registers a listener and returns the way to stop; called when iteration starts.
 * Yields `['']` first, since anything may have happened before, then batches until `signal` aborts.
 */
export async function* coalesce(
  subscribe: (listener: (name: string) => void) => () => void,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  const names = new Set<string>([''])
  let wake = () => {}
  const unsubscribe = subscribe((name) => {
    // A reader this far behind looks at everything anyway.
    names.add(names.size < MAX_NAMES ? name : '')
    wake()
  })
  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort)
  try {
    while (!signal.aborted) {
      if (names.size === 0) await new Promise<void>((resolve) => (wake = resolve))
      else {
        const batch = names.has('') ? [''] : [...names]
        names.clear()
        yield batch
        await pause(signal)
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    unsubscribe()
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, COALESCE_MS)
    signal.addEventListener('abort', done)
  })
}
