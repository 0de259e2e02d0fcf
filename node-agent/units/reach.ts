/** How people reach into what runs: signals, and the log as it is. Part of the unit-driver seam (driver.ts). */
import type { JournalOptions, Outcome } from './driver.ts'

/**
 * Whom a signal is for, in systemctl's words: the main process, what runs for ExecStartPre=, ExecReload= and the like, or
 * every process of the unit.
 */
export const KILL_WHO = ['main', 'control', 'all'] as const
export type KillWho = (typeof KILL_WHO)[number]

export interface UnitReach {
  /** Refused when no such process runs. */
  signal(name: string, signal: NodeJS.Signals, who: KillWho): Promise<Outcome>
  /** Which run of the unit this is: another word after each start, '' when it has never run (or is unknown). */
  invocation(name: string): Promise<string>
  /**
   * The log for passing on: lines of JSON in the journal's own fields (journal-entry.ts), in whole lines or not, as they
   * come. Without a name that of the whole machine. Reads no faster than its consumer; ends with the signal. Rejects
   * with DriverUnavailableError when the log cannot be read.
   */
  log(name: string | undefined, options: JournalOptions): AsyncIterable<Uint8Array>
}
