import type { Runnable } from './runnable.ts'

/** Something that tells of changes, as informers do. */
export interface Source {
  readonly subscribe: (onChange: (key: string) => void) => () => void
  /** Whether the change of this object asks for a round; always when absent. */
  readonly matters?: (key: string) => boolean
}

/** Calls `fire` once at the start and once for all changes of one turn of the event loop; no delay is added. */
export function createTrigger(name: string, sources: readonly Source[], fire: () => void): Runnable {
  return {
    name,
    start: (signal) => {
      let due: NodeJS.Immediate | undefined
      const soon = (): void => {
        due ??= setImmediate(() => {
          due = undefined
          fire()
        })
      }
      const unsubscribes = sources.map(({ subscribe, matters = () => true }) =>
        subscribe((key) => {
          if (matters(key)) soon()
        }),
      )
      soon()
      return new Promise((resolve) => {
        const stop = (): void => {
          for (const unsubscribe of unsubscribes) unsubscribe()
          clearImmediate(due)
          resolve()
        }
        if (signal.aborted) stop()
        else signal.addEventListener('abort', stop, { once: true })
      })
    },
  }
}
