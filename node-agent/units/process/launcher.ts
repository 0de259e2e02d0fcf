/** The seam between the life of a service and real processes: the fake driver puts imagined ones here. */
import type { Exit } from './exit-set.ts'

export interface LaunchRequest {
  readonly unit: string
  /** 32 hex digits, new for each start; every process of it carries them as $INVOCATION_ID. */
  readonly invocation: string
  readonly path: string
  readonly argv0: string
  readonly args: readonly string[]
  readonly environment: ReadonlyMap<string, string>
  readonly workingDirectory: string
  readonly uid: number | undefined
  readonly gid: number | undefined
  readonly umask: number
  readonly limits: readonly string[]
  readonly discardsOutput: { readonly stdout: boolean; readonly stderr: boolean }
}

export interface RunningProcess {
  readonly pid: number
  readonly startTicks: number
  readonly exited: Promise<Exit>
}

export interface Launcher {
  /** Resolves when the program runs; rejects with LaunchError when it could not be executed. */
  launch(request: LaunchRequest): Promise<RunningProcess>
  /** A process that an earlier agent started, by pid and start, else by the invocation id it carries. */
  adopt(process: Pick<RunningProcess, 'pid' | 'startTicks'>, invocation: string): RunningProcess | undefined
  /** Living processes of the invocation, the main one included. */
  membersOf(invocation: string, leaderPid: number): Promise<readonly number[]>
  /** A process that is gone already is fine. */
  signal(pid: number, signal: NodeJS.Signals): void
}

/** systemd's exit status for a step before the program (200 CHDIR, 203 EXEC, 217 USER …; 0: result `resources`), and why. */
export class LaunchError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}
