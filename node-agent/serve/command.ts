/**
 * Runs a command on this machine for `exec`.
 *
 * Under systemd it becomes a transient service: a cgroup of its own, not the agent's memory limit, and nothing of it
 * outlives it. Elsewhere it is a child in its own process group, which is killed as a whole.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { homedir } from 'node:os'
import type { UnitDriver } from '../units/driver.ts'
import { type WindowSize, withTerminal } from './terminal.ts'

export interface CommandOptions {
  readonly kind: UnitDriver['kind']
  readonly command: readonly string[]
  readonly stdin: boolean
  /** With a terminal around it, of this size where one is known. */
  readonly terminal?: { readonly size: WindowSize | undefined } | undefined
}

export interface RunningCommand {
  readonly child: ChildProcess
  /** Ends it and everything it started; harmless when it is over. */
  kill(): void
}

const STOP_GRACE_MS = 2_000
const SYSTEMCTL_DEADLINE_MS = 5_000

export function runCommand({ terminal, ...asked }: CommandOptions): RunningCommand {
  const options = terminal ? { ...asked, command: withTerminal(asked.command, terminal.size) } : asked
  const isUnderSystemd = options.kind === 'system' || options.kind === 'user'
  return isUnderSystemd ? runAsService(options) : runAsChild(options)
}

function runAsService({ kind, command, stdin }: CommandOptions): RunningCommand {
  const unit = `flotilla-exec-${randomBytes(6).toString('hex')}.service`
  const scope = kind === 'user' ? ['--user'] : []
  const options = ['--quiet', '--pipe', '--wait', '--collect', `--unit=${unit}`, `--setenv=HOME=${homedir()}`]
  // An interactive shell ends with its terminal, and at nothing gentler than that.
  const stopping = ['--property=TimeoutStopSec=2s', '--property=SendSIGHUP=yes']
  const child = start('systemd-run', [...scope, ...options, ...stopping, '--', ...command], stdin)
  const kill = once(() => {
    execFile('systemctl', [...scope, '--no-block', 'stop', unit], { timeout: SYSTEMCTL_DEADLINE_MS }, () => {
      child.kill('SIGTERM')
    })
  })
  return { child, kill }
}

function runAsChild({ command, stdin }: CommandOptions): RunningCommand {
  const [program = '', ...parameters] = command
  const child = start(program, parameters, stdin)
  // What it left in its group would keep our pipes open for ever.
  child.once('exit', () => signalGroup(child, 'SIGKILL'))
  const kill = once(() => {
    signalGroup(child, 'SIGTERM')
    setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_GRACE_MS).unref()
  })
  return { child, kill }
}

function start(program: string, parameters: readonly string[], stdin: boolean): ChildProcess {
  const { PATH, HOME, LANG, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS } = process.env
  return spawn(program, parameters, {
    stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    detached: true,
    cwd: '/',
    env: { PATH, HOME, LANG, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS },
  })
}

function signalGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The group is gone already: what was to be reached.
  }
}

function once(act: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    act()
  }
}
