/** Sleeps until something of a kind has changed; for loops that look at all of it again when it has. */
import type { KindCache } from './kind-cache.ts'

export interface Changes {
  /** What has changed until now is about to be looked at. */
  seen(): void
  /** Resolves when something has changed since `seen`, or when `signal` aborts. */
  next(): Promise<void>
}

export function changesOf(cache: KindCache, signal: AbortSignal): Changes {
  let changed = false
  let wake = (): void => {}
  const deliver = (): void => {
    changed = true
    wake()
  }
  const cancel = cache.watchers.add({ deliver }, undefined)
  signal.addEventListener(
    'abort',
    () => {
      cancel()
      deliver()
    },
    { once: true },
  )
  return {
    seen: () => {
      changed = false
    },
    next: () =>
      new Promise((resolve) => {
        wake = resolve
        if (changed) resolve()
      }),
  }
}
