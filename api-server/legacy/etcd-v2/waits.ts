/** Those who wait until this server has seen a revision. */
import type { Revision } from '../../store/store.ts'

export interface Waits {
  until(revision: Revision, timeoutMs: number): Promise<void>
  reached(revision: Revision): void
}

interface Waiting {
  readonly revision: Revision
  readonly go: () => void
}

export function createWaits(): Waits {
  const waiting = new Set<Waiting>()
  return {
    until: (revision, timeoutMs) =>
      new Promise((resolve, reject) => {
        const one: Waiting = { revision, go: () => settle(resolve) }
        const timer = setTimeout(() => settle(() => reject(new Error('the store is slow to tell the news'))), timeoutMs)
        function settle(how: () => void): void {
          clearTimeout(timer)
          waiting.delete(one)
          how()
        }
        waiting.add(one)
      }),
    reached: (revision) => {
      for (const one of waiting) if (one.revision <= revision) one.go()
    },
  }
}
