/**
 * Runs commands as children in sessions of their own. Their output goes straight to the unit's log file, so it survives
 * the agent; a pipe would fill up or break when the agent dies.
 */
import { spawn } from 'node:child_process'
import { accessSync, closeSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Exit } from './exit-set.ts'
import { LaunchError, type Launcher, type LaunchRequest, type RunningProcess } from './launcher.ts'
import { findCarrier, processTable, readProcess } from './process-table.ts'

const POLL_MS = 200
const SEARCH_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const CHDIR = 200
const EXEC = 203
const LIMITS = 205

export interface ChildLauncherOptions {
  /** A new descriptor of the unit's log, open for appending; the launcher closes it. */
  readonly openOutput: (unit: string) => number
  /** Ends the watch over adopted processes. */
  readonly signal: AbortSignal
}

export function childLauncher({ openOutput, signal }: ChildLauncherOptions): Launcher {
  const table = processTable()
  return {
    async launch(request) {
      const output = openOutput(request.unit)
      try {
        return await spawnChild(request, output)
      } finally {
        closeSync(output)
      }
    },
    adopt({ pid, startTicks }, invocation) {
      const known = pid > 0 ? readProcess(pid) : undefined
      const found = known?.startTicks === startTicks ? known : findCarrier(invocation)
      return (
        found && { pid: found.pid, startTicks: found.startTicks, exited: watch(found.pid, found.startTicks, signal) }
      )
    },
    membersOf: table.membersOf,
    signal(pid, name) {
      try {
        process.kill(pid, name)
      } catch {
        // ESRCH: it is gone, which is what a signal to a dying process may find.
      }
    },
  }
}

function spawnChild(request: LaunchRequest, output: number): Promise<RunningProcess> {
  const { uid, gid, workingDirectory: cwd, limits, discardsOutput } = request
  const path = executable(request.path)
  checkFolder(cwd)
  const [program, args] =
    limits.length > 0 ? [prlimit(), [...limits, '--', path, ...request.args]] : [path, [...request.args]]
  return new Promise((resolve, reject) => {
    // The umask is the process's; fork happens inside spawn, so nothing else can run under this one.
    const before = process.umask(request.umask)
    try {
      const child = spawn(program, args, {
        cwd,
        env: Object.fromEntries(request.environment),
        argv0: limits.length > 0 ? program : request.argv0,
        detached: true,
        stdio: ['ignore', discardsOutput.stdout ? 'ignore' : output, discardsOutput.stderr ? 'ignore' : output],
        ...(uid === undefined ? {} : { uid }),
        ...(gid === undefined ? {} : { gid }),
      })
      const exited = new Promise<Exit>((ended) => child.once('exit', (code, signal) => ended({ code, signal })))
      child.once('error', (error) => reject(new LaunchError(EXEC, describe(request.path, error))))
      child.once('spawn', () => {
        const pid = child.pid ?? 0
        resolve({ pid, startTicks: readProcess(pid)?.startTicks ?? 0, exited })
      })
    } finally {
      process.umask(before)
    }
  })
}

function executable(path: string): string {
  const candidates = path.startsWith('/') ? [path] : SEARCH_PATH.map((folder) => join(folder, path))
  let failure: unknown
  for (const candidate of candidates) {
    try {
      accessSync(candidate, constants.X_OK)
      if (statSync(candidate).isFile()) return candidate
      failure = new Error('is not a file')
    } catch (error) {
      failure ??= error
    }
  }
  throw new LaunchError(EXEC, describe(path, failure))
}

function checkFolder(path: string): void {
  try {
    if (!statSync(path).isDirectory()) throw new Error('Not a directory')
  } catch (error) {
    throw new LaunchError(CHDIR, `Changing to the requested working directory failed: ${path}: ${reason(error)}`)
  }
}

function prlimit(): string {
  try {
    return executable('prlimit')
  } catch {
    throw new LaunchError(LIMITS, 'Limit*= needs prlimit(1), which is not installed')
  }
}

function describe(path: string, error: unknown): string {
  return `Failed to locate executable ${path}: ${reason(error)}`
}

/** The errno in the C library's words, as systemd prints it. */
function reason(error: unknown): string {
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'No such file or directory',
    EACCES: 'Permission denied',
    ENOTDIR: 'Not a directory',
  }
  const { code, message } = error as NodeJS.ErrnoException
  return known[code ?? ''] ?? message
}

/** No SIGCHLD comes for a process that is not our child, so it is looked at. */
function watch(pid: number, startTicks: number, signal: AbortSignal): Promise<Exit> {
  return new Promise((resolve) => {
    const look = () => {
      if (!signal.aborted && readProcess(pid)?.startTicks === startTicks) return
      clearInterval(timer)
      signal.removeEventListener('abort', stop)
      if (!signal.aborted) resolve({ code: null, signal: null, isUnknown: true })
    }
    const stop = () => clearInterval(timer)
    const timer = setInterval(look, POLL_MS)
    signal.addEventListener('abort', stop)
  })
}
