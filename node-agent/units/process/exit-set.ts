/** How a process ended, and systemd's judgement of it. */
import { constants } from 'node:os'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The process was not our child (an earlier agent's was), so nobody can say how it ended. */
  readonly isUnknown?: boolean
}

/** SuccessExitStatus= and its kin: exit codes and signals. */
export interface ExitSet {
  readonly codes: ReadonlySet<number>
  readonly signals: ReadonlySet<string>
}

export type Result = 'success' | 'exit-code' | 'signal' | 'timeout' | 'start-limit-hit' | 'resources'

const CLEAN_SIGNALS: ReadonlySet<string> = new Set(['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGPIPE'])

/** Names of sysexits.h that unit files use in place of numbers. */
const NAMED_CODES: Readonly<Record<string, number>> = {
  SUCCESS: 0,
  FAILURE: 1,
  USAGE: 64,
  DATAERR: 65,
  NOINPUT: 66,
  NOUSER: 67,
  NOHOST: 68,
  UNAVAILABLE: 69,
  SOFTWARE: 70,
  OSERR: 71,
  OSFILE: 72,
  CANTCREAT: 73,
  IOERR: 74,
  TEMPFAIL: 75,
  PROTOCOL: 76,
  NOPERM: 77,
  CONFIG: 78,
}

/** Throws when a word is neither an exit status nor a signal. */
export function parseExitSet(words: readonly string[]): ExitSet {
  const codes = new Set<number>()
  const signals = new Set<string>()
  for (const word of words) {
    const code = /^\d{1,3}$/.test(word) ? Number(word) : NAMED_CODES[word]
    const signal = word.startsWith('SIG') ? word : `SIG${word}`
    if (code !== undefined && code <= 255) codes.add(code)
    else if (signal in constants.signals) signals.add(signal)
    else throw new Error(`'${word}' is neither an exit status nor a signal`)
  }
  return { codes, signals }
}

export function contains({ codes, signals }: ExitSet, { code, signal }: Exit): boolean {
  return signal === null ? code !== null && codes.has(code) : signals.has(signal)
}

/** `isDaemon`: a service that runs may be ended by the usual signals; a command must return 0. */
export function judge(exit: Exit, success: ExitSet, isDaemon: boolean): Result {
  if (exit.isUnknown) return 'exit-code'
  if (exit.code === 0 || contains(success, exit)) return 'success'
  if (exit.signal === null) return 'exit-code'
  return isDaemon && CLEAN_SIGNALS.has(exit.signal) ? 'success' : 'signal'
}

/** ExecMainStatus: the code, or the number of the signal. */
export function statusOf({ code, signal }: Exit): number {
  return signal === null ? (code ?? 0) : constants.signals[signal]
}

export function describeExit(exit: Exit): string {
  if (exit.isUnknown) return 'its end was not seen: an earlier agent had started it'
  return exit.signal === null ? `status=${exit.code}` : `killed by ${exit.signal}`
}
