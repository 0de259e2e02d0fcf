/**
 * The unit-driver seam: what the agent needs of whatever runs services on this machine.
 *
 * Contract, held by every driver and proved by test/suites/unit-driver-suite.ts:
 * - Verbs are idempotent and named by outcome; "already so" is success. They return once the manager has accepted the
 *   work, not once a service is up: outcomes arrive through `observe` and are hinted at by `changes`.
 * - A verb that works on several units fails for each unit by itself: one bad unit never hides another's result.
 * - Every call has a deadline inside the driver and rejects with `DriverUnavailableError` while the manager is away.
 */

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
}

export interface UnitFile {
  readonly name: string
  readonly content: string
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

export interface UnitDriver {
  /** `system`, `user` or `process`; shown in the Machine's conditions. */
  readonly kind: 'system' | 'user' | 'process' | 'fake'
  /** What the driver cannot do with this file, in one sentence that names the option; undefined when it can. */
  unsupported(file: UnitFile): string | undefined
  /** Makes the files known to the manager (write, fsync, rename, link; reload only if a known one changed). */
  install(files: readonly UnitFile[]): Promise<readonly Outcome[]>
  /** Stops what runs, forgets failure state, removes links and files. */
  remove(names: readonly string[]): Promise<readonly Outcome[]>
  start(names: readonly string[]): Promise<readonly Outcome[]>
  stop(names: readonly string[]): Promise<readonly Outcome[]>
  /** Installed files by name with their content, and the state of every unit asked for or installed. */
  observe(names: readonly string[]): Promise<ReadonlyMap<string, ObservedUnit>>
  installed(): Promise<ReadonlyMap<string, string>>
  /** Yields unit names that may have changed ('' = anything may have: list again), until `signal` aborts. */
  changes(signal: AbortSignal): AsyncIterable<readonly string[]>
  /** Log of one unit; `follow` goes on until `signal` aborts. */
  journal(
    name: string,
    options: { readonly lines?: number; readonly follow?: boolean; readonly after?: string; readonly signal: AbortSignal },
  ): AsyncIterable<LogLine>
  /** The manager's own explanation of a refused or failed unit, newest last; '' when there is none. */
  explain(name: string): Promise<string>
  close(): Promise<void>
}

/** The manager is not reachable right now; the agent changes nothing and tries again. */
export class DriverUnavailableError extends Error {}
