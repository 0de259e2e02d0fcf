import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type ProcessLines, processLines } from './process-lines.ts'
import { within } from './within.ts'

export interface StartOptions {
  readonly cwd?: string
  /** Added to this process's environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Written to standard input, which is then closed. Default: nothing. */
  readonly stdin?: string
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

interface Patience {
  /** Default 10 000. */
  readonly timeoutMs?: number
}

/** A child in a process group of its own; the whole group is killed when the test process exits. */
export interface RunningProcess extends AsyncDisposable {
  readonly pid: number
  /** The newest 5 000 lines of stdout and stderr together, in order of arrival. */
  readonly lines: readonly string[]
  /** Settles when the process is gone and what it wrote has been read; never rejects. */
  readonly exited: Promise<Exit>
  /** The first line, past or future, that matches. Rejects when the process ends without one, or too late. */
  waitForLine(pattern: RegExp, options?: Patience): Promise<RegExpExecArray>
  /** Asks the process to end (default SIGTERM) and waits. After `timeoutMs` it is killed and the call rejects. */
  stop(signal?: NodeJS.Signals, options?: Patience): Promise<Exit>
  /** SIGKILL to the process alone, as in a crash: its children live on. */
  crash(): Promise<Exit>
}

export interface Finished extends Exit {
  readonly stdout: string
  readonly stderr: string
}

const KEPT_LINES = 5_000
const DEFAULT_TIMEOUT_MS = 10_000
/** A grandchild that holds the pipes open must not hold up the news that the child has exited. */
const DRAIN_MS = 500
const groups = new Set<number>()

function killGroup(pid: number): void {
  groups.delete(pid)
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // ESRCH: the whole group has ended by itself.
  }
}

function killAllGroups(): void {
  for (const pid of groups) killGroup(pid)
}

type Child = ChildProcessWithoutNullStreams & { readonly pid: number }

async function launch(argv: readonly string[], { cwd, env, stdin = '' }: StartOptions): Promise<Child> {
  const [command = '', ...args] = argv
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, detached: true, stdio: 'pipe' })
  child.stdin.on('error', () => undefined) // EPIPE: it ended without reading its input
  child.stdin.end(stdin)
  await once(child, 'spawn')
  if (groups.size === 0) process.off('exit', killAllGroups).once('exit', killAllGroups)
  groups.add((child as Child).pid)
  return child as Child
}

async function exitOf(child: Child): Promise<Exit> {
  const closed = once(child, 'close')
  const [code, signal] = (await once(child, 'exit')) as [Exit['code'], Exit['signal']]
  await within(DRAIN_MS, closed, 'the rest of the output').catch(() => undefined)
  return { code, signal }
}

function describe({ code, signal }: Exit): string {
  return signal === null ? `exited with ${code}` : `was ended by ${signal}`
}

function collect(child: Child, log: ProcessLines): void {
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', log.add)
}

/** Starts `argv` and returns once it runs. Rejects when it cannot be started (ENOENT, EACCES). */
export async function startProcess(argv: readonly string[], options: StartOptions = {}): Promise<RunningProcess> {
  const child = await launch(argv, options)
  const log = processLines(KEPT_LINES)
  collect(child, log)
  const name = argv.join(' ')
  const exited = exitOf(child)
  void exited.then((exit) => log.end(`${name} ${describe(exit)}`))

  async function stop(signal: NodeJS.Signals = 'SIGTERM', { timeoutMs = DEFAULT_TIMEOUT_MS }: Patience = {}) {
    child.kill(signal)
    try {
      return await within(timeoutMs, exited, `${name} to stop on ${signal}`)
    } finally {
      killGroup(child.pid)
    }
  }
  return {
    pid: child.pid,
    lines: log.lines,
    exited,
    stop,
    async waitForLine(pattern, { timeoutMs = DEFAULT_TIMEOUT_MS } = {}) {
      try {
        return await within(timeoutMs, log.first(pattern), `${name} to print ${pattern}`)
      } catch (cause) {
        throw new Error(`${(cause as Error).message}; it printed:\n${log.tail()}`)
      }
    },
    crash() {
      child.kill('SIGKILL')
      return exited
    },
    async [Symbol.asyncDispose]() {
      await stop()
    },
  }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) text += chunk
  return text
}

/** Runs `argv` to its end and returns what it wrote; a non-zero exit is a result, not an error. Rejects when too late. */
export async function runProcess(argv: readonly string[], options: StartOptions & Patience = {}): Promise<Finished> {
  const child = await launch(argv, options)
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options
  try {
    const all = Promise.all([exitOf(child), textOf(child.stdout), textOf(child.stderr)])
    const [exit, stdout, stderr] = await within(timeoutMs, all, argv.join(' '))
    return { ...exit, stdout, stderr }
  } finally {
    killGroup(child.pid)
  }
}
