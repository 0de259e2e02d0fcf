/** Undoes in the opposite order what was begun; one part that fails does not keep the others from going. */
import type { Logger } from 'pino'

export interface Teardown {
  add(what: string, undo: () => Promise<void>): void
  run(): Promise<void>
}

export function createTeardown(log: Logger): Teardown {
  const steps: { readonly what: string; readonly undo: () => Promise<void> }[] = []
  return {
    add: (what, undo) => void steps.push({ what, undo }),
    run: async () => {
      for (const { what, undo } of steps.splice(0).toReversed())
        await undo().catch((error: unknown) => {
          process.exitCode = 1
          log.error({ err: error, what }, 'not stopped cleanly; flotilla down removes what is left')
        })
    },
  }
}
