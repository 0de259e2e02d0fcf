/** Sleeps until something of a kind has changed; for loops that look at all of it again when it has. */
import type { KindCache } from './kind-cache.ts'

export interface Changes {
  /** What has changed until now is about to be looked at. */
  seen(): void
  /** Resolves when something has changed since `seen`, when `signal` aborts, or after `withinMs` if given. */
  next(withinMs?: number): Promise<void>
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
    next: (withinMs) =>
      new Promise((resolve) => {
        const timer = withinMs === undefined ? undefined : setTimeout(resolve, withinMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
        if (changed) wake()
      }),
  }
}
