/** The command run inside the test's process, with streams of its own. */
import { PassThrough, Readable } from 'node:stream'
import { Command } from 'commander'
import type { InputStream, Io, OutputStream } from '../../../bin/client/io.ts'
import { register as apply } from '../../../bin/commands/apply.ts'
import { register as cat } from '../../../bin/commands/cat.ts'
import { register as completion } from '../../../bin/commands/completion.ts'
import { register as cordon } from '../../../bin/commands/cordon.ts'
import { register as remove } from '../../../bin/commands/delete.ts'
import { register as desiredState } from '../../../bin/commands/desired-state.ts'
import { register as drain } from '../../../bin/commands/drain.ts'
import { register as exec } from '../../../bin/commands/exec.ts'
import { register as get } from '../../../bin/commands/get.ts'
import { register as journal } from '../../../bin/commands/journal.ts'
import { register as kill } from '../../../bin/commands/kill.ts'
import { register as restart } from '../../../bin/commands/restart.ts'
import { register as status } from '../../../bin/commands/status.ts'
import { register as uncordon } from '../../../bin/commands/uncordon.ts'
import { register as watch } from '../../../bin/commands/watch.ts'
import { register as why } from '../../../bin/commands/why.ts'
import { type UntilOptions, until } from '../../support/until.ts'

export interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}
export interface RunningCommand {
  readonly stdout: () => string
  readonly stderr: () => string
  readonly lines: () => string[]
  /** Waits until what was written so far matches. */
  see(pattern: RegExp, options?: Partial<UntilOptions>): Promise<RegExpExecArray>
  /** As Ctrl-C. */
  interrupt(): Promise<Run>
  readonly ended: Promise<Run>
}
export interface RunOptions {
  readonly kubeconfig?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string | Readable
}

const COMMANDS = [
  cat,
  restart,
  kill,
  desiredState,
  apply,
  get,
  remove,
  watch,
  status,
  journal,
  why,
  exec,
  drain,
  cordon,
  uncordon,
  completion,
]

export function programWith(io: Io): Command {
  const program = new Command('flotilla').enablePositionalOptions()
  for (const register of COMMANDS) register(program, io)
  for (const each of [program, ...program.commands]) {
    each.exitOverride()
    each.configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
  }
  return program
}

export function startCommand(
  args: readonly string[],
  { kubeconfig, env = {}, stdin = '' }: RunOptions,
): RunningCommand {
  const [stdout, stderr] = [collect(), collect()]
  const stop = new AbortController()
  let code = 0
  const io: Io = {
    stdin: (typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin) as InputStream,
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: { ...(kubeconfig && { KUBECONFIG: kubeconfig }), ...env },
    setExitCode: (value) => {
      code = value
    },
    interruption: () => ({ signal: stop.signal, release: () => {} }),
  }
  const ended = programWith(io)
    .parseAsync(args, { from: 'user' })
    .then(
      () => ({ code, stdout: stdout.text(), stderr: stderr.text() }),
      (error: { exitCode?: number }) => ({ code: error.exitCode ?? 1, stdout: stdout.text(), stderr: stderr.text() }),
    )
  return {
    stdout: stdout.text,
    stderr: stderr.text,
    lines: () => stdout.text().split('\n').slice(0, -1),
    see: (pattern, options) =>
      until(() => pattern.exec(stdout.text() + stderr.text()), {
        what: `${args.join(' ')} to print ${pattern}`,
        ...options,
      }),
    interrupt: () => {
      stop.abort(new Error('interrupted'))
      return ended
    },
    ended,
  }
}

export function runCommand(args: readonly string[], options: RunOptions): Promise<Run> {
  return startCommand(args, options).ended
}

function collect() {
  const chunks: Buffer[] = []
  const stream: OutputStream & PassThrough = new PassThrough()
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') }
}
