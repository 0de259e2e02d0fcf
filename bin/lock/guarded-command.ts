/**
 * A command that must not outlive what guards it: a process group of its own, ended as a whole.
 *
 * Nothing that runs in this process can end the command once this process was killed. So a shell of its own, outside
 * both groups, reads a pipe that only this process holds open: when it ends, however that came, the group is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'

export interface GuardedCommand {
  /** The command's exit code as a shell tells it: 128 + n for signal n. Its group may still hold others. */
  readonly exited: Promise<number>
  /** To every process of the command. Does nothing when all have ended. */
  signal(name: NodeJS.Signals): void
  /** Lets the guard go; call it when nothing of the command is to be ended any more. */
  release(): void
}

/** Exit codes of a shell for a command that could not be run. */
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126
/** `-s`: dash takes no `--` after `-KILL`. */
const KILL_ON_END = 'while read -r _; do :; done; kill -s KILL -- "-$1"'

/** Could not be started: `exitCode` is the one a shell would give. */
export class CannotRunError extends Error {
  readonly exitCode: number
  constructor(command: string, cause: NodeJS.ErrnoException) {
    const isMissing = cause.code === 'ENOENT'
    super(`cannot run ${command}: ${isMissing ? 'no such command' : (cause.code ?? cause.message)}`, { cause })
    this.name = 'CannotRunError'
    this.exitCode = isMissing ? NOT_FOUND : NOT_EXECUTABLE
  }
}

/** Resolves once it runs, with our standard streams. Rejects with CannotRunError. */
export async function runGuarded(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<GuardedCommand> {
  const [file = '', ...args] = argv
  const child = spawn(file, args, { env, stdio: 'inherit', detached: true })
  const group = await started(child, file)
  const guard = spawn('/bin/sh', ['-c', KILL_ON_END, 'flotilla-guard', String(group)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  const exited = exitOf(child)
  const signal = (name: NodeJS.Signals): void => signalGroup(group, name)
  // A guard that could not be started guards nothing: the command goes on no longer than this process.
  guard.once('error', () => signal('SIGKILL'))
  guard.stdin?.on('error', () => {})
  return { exited, signal, release: () => void guard.kill('SIGKILL') }
}

function started(child: ChildProcess, file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new CannotRunError(file, error)))
    child.once('spawn', () => resolve(child.pid ?? 0))
  })
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code, name) => resolve(code ?? 128 + (name === null ? 0 : constants.signals[name])))
  })
}

function signalGroup(group: number, name: NodeJS.Signals): void {
  try {
    process.kill(-group, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
