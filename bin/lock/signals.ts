/** Signals of a command that runs another: passed on while that one runs, a wish to end before and after. */
import { constants } from 'node:os'

export interface Signals {
  /** What a shell says of a command that the first signal to end it ended; undefined while none came. */
  endedCode(): number | undefined
  /** Called at a signal to end; at once where one has come already. One listener at a time. */
  onEnding(fn: (() => void) | undefined): void
  /** Called at every signal. One listener at a time. */
  onSignal(fn: ((name: NodeJS.Signals) => void) | undefined): void
  /** The process has its signals back. */
  close(): void
}

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])

export function listenForSignals(): Signals {
  let ended: NodeJS.Signals | undefined
  let ending: (() => void) | undefined
  let forward: ((name: NodeJS.Signals) => void) | undefined
  const onSignal = (name: NodeJS.Signals): void => {
    if (ENDING.has(name)) ended ??= name
    forward?.(name)
    if (ended !== undefined) ending?.()
  }
  for (const name of FORWARDED) process.on(name, onSignal)
  process.on('SIGTSTP', ignore)
  return {
    endedCode: () => (ended === undefined ? undefined : 128 + constants.signals[ended]),
    onEnding: (fn) => {
      ending = fn
      if (ended !== undefined) fn?.()
    },
    onSignal: (fn) => {
      forward = fn
    },
    close: () => {
      for (const name of FORWARDED) process.off(name, onSignal)
      process.off('SIGTSTP', ignore)
    },
  }
}

/** Ctrl-Z would stop the renewing and not the command, which is in a group of its own. */
function ignore(): void {}
