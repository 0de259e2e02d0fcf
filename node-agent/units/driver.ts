/**
 * The unit-driver seam: what the agent needs of whatever runs services on this machine.
 *
 * Contract, held by every driver and proved by test/suites/unit-driver-suite.ts:
 * - Verbs are idempotent and named by outcome; "already so" is success. They return once the manager has accepted the
 *   work, not once a service is up: outcomes arrive through `observe` and are hinted at by `changes`.
 * - A verb that works on several units fails for each unit by itself: one bad unit never hides another's result.
 * - Every call has a deadline inside the driver and rejects with `DriverUnavailableError` while the manager is away.
 */

import type { Fence, FenceTimes } from './fence/fence.ts'
import type { UnitReach } from './reach.ts'

/** One unit as the manager sees it, in systemd's own words. */
export interface ObservedUnit {
  readonly name: string
  /** stub, loaded, not-found, bad-setting, error, merged, masked */
  readonly loadState: string
  /** active, reloading, inactive, failed, activating, deactivating */
  readonly activeState: string
  readonly subState: string
  /** systemd's Result of the type's interface: success, exit-code, signal, timeout, … ('' where the type has none). */
  readonly result: string
  readonly mainPID: number
  /** NRestarts: automatic restarts since the unit was last started by hand. */
  readonly restarts: number
  /** When it entered its active state, µs since the epoch; 0 when not active. */
  readonly activeEnterTimestampUs: number
  readonly exitStatus: number
  /**
   * How the last job for it failed (failed, dependency, timeout, assert, unsupported) where the unit is inactive and does
   * not tell by itself; absent otherwise, and when an agent that is gone saw the job.
   */
  readonly jobResult?: string
}

export interface DropIn {
  /** A file name that ends in `.conf`; drop-ins count in the order of their names. */
  readonly name: string
  readonly content: string
}

export interface UnitFile {
  readonly name: string
  readonly content: string
  /** Absent and empty mean the same; an `installed` file has them in the order of their names. */
  readonly dropIns?: readonly DropIn[]
}

/** Why a unit could not be taken: the manager's own words. Absent means accepted. */
export interface Outcome {
  readonly name: string
  readonly refused?: string
}

export interface LogLine {
  /** Opaque position to resume after. */
  readonly cursor: string
  readonly timestampUs: number
  readonly message: string
  readonly identifier: string
  readonly pid?: number
}

export interface JournalOptions {
  /** Only the newest so many lines before following; all that is kept when absent. */
  readonly lines?: number
  readonly follow?: boolean
  /** Resume after this cursor. */
  readonly after?: string
  /** Only what was logged since, µs since the epoch; a driver without an index may give more. Not with `after`. */
  readonly sinceUs?: number
  readonly signal: AbortSignal
}

/** Verbs that change the machine. */
export interface UnitControl {
  /**
   * Makes the files and their drop-ins known to the manager (write, rename, link; one reload only if a known file changed).
   * Drop-ins that an earlier file of the name had and this one has not are gone.
   */
  install(files: readonly UnitFile[]): Promise<readonly Outcome[]>
  /** Stops what runs, forgets failure state, removes links and files; resolves when they are really stopped. */
  remove(names: readonly string[]): Promise<readonly Outcome[]>
  start(names: readonly string[]): Promise<readonly Outcome[]>
  stop(names: readonly string[]): Promise<readonly Outcome[]>
  /** Stops and starts again with the installed content; starts what is not running. */
  restart(names: readonly string[]): Promise<readonly Outcome[]>
}

/** Verbs that only look. */
export interface UnitObservation {
  /** State of every unit asked for; a name the manager does not know has loadState `not-found`. */
  observe(names: readonly string[]): Promise<ReadonlyMap<string, ObservedUnit>>
  /** Files that this driver has installed, by name. */
  installed(): Promise<ReadonlyMap<string, UnitFile>>
  /** Yields unit names that may have changed ('' = anything may have: observe all again), until `signal` aborts. */
  changes(signal: AbortSignal): AsyncIterable<readonly string[]>
  /** The manager's own explanation of a refused or failed unit; '' when there is none. */
  explain(name: string): Promise<string>
  journal(name: string, options: JournalOptions): AsyncIterable<LogLine>
}

export interface UnitDriver extends UnitControl, UnitObservation, UnitReach {
  readonly kind: 'system' | 'user' | 'process' | 'fake'
  /** What the driver cannot do with this file, in one sentence that names the option; undefined when it can. */
  unsupported(file: UnitFile): string | undefined
  /** What stops exclusive units in time, even without the agent; a driver without one cannot run them. */
  readonly fence?: (times: FenceTimes) => Fence
  /** Lets go of the manager. `stopUnits` (an `up --here` that ends) first removes everything installed. */
  close(options?: { readonly stopUnits?: boolean }): Promise<void>
}

/** The manager is not reachable right now; the agent changes nothing and tries again. */
export class DriverUnavailableError extends Error {}
