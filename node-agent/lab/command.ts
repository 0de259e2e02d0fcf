/** Runs the machine's own tools (ip, nsenter, systemctl): always with a deadline, an output bound and a way to stop. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'

export interface CommandResult {
  /** Exit status; 128 + n where signal n ended it, as a shell would say. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly timeoutMs?: number
  /** Written to standard input, which is then closed. */
  readonly input?: string
  /** Bound of stdout and stderr together; beyond it the command is killed and the call rejects. */
  readonly maxOutputBytes?: number
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** What the error messages call it; the program's path when absent. */
  readonly what?: string
  readonly signal?: AbortSignal
}

const DEFAULT_TIMEOUT_MS = 10_000
const DEFAULT_MAX_OUTPUT_BYTES = 4 * 1024 * 1024
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Environment for tools: nothing of the caller's but a path on which the system's tools are always found. */
export const toolEnv: NodeJS.ProcessEnv = { PATH: SYSTEM_PATH, LANG: 'C.UTF-8' }

/**
 * Resolves with the exit status whatever it is. Rejects when the command cannot be started, is still running at its
 * deadline, says more than the bound, or `signal` aborts; its whole process group is then killed.
 */
export function run(file: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, input = '', cwd = '/', env = toolEnv, what = file } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    // Its own process group, so that what it forked (nsenter does) is killed with it.
    const child = spawn(file, [...args], { env, cwd, detached: true, stdio: 'pipe' })
    const output = collect(child, options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES, () =>
      stop(new Error(`${what} said more than it may`)),
    )
    const timer = setTimeout(() => stop(new Error(`${what}: no end after ${Math.round(timeoutMs)} ms`)), timeoutMs)
    const onAbort = (): void => stop(signal?.reason)
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    // Settles without waiting for the death: a process in a frozen cgroup dies only when thawed.
    const stop = (reason: unknown): void => {
      settle()
      abandon(child)
      reject(reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    child.once('error', (cause) => {
      settle()
      reject(new Error(`cannot run ${what}`, { cause }))
    })
    child.once('close', (code, signalName) => {
      settle()
      resolve({ code: code ?? 128 + signalNumber(signalName), ...output() })
    })
    child.stdin.on('error', () => {}) // EPIPE: it ended without reading; its status tells why
    child.stdin.end(input)
  })
}

/** Like `run`, but a status other than 0 rejects with what the command said. Resolves with its stdout. */
export async function must(file: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(file, args, options)
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} failed (${code}): ${(stderr || stdout).trim()}`)
  return stdout
}

function collect(child: ChildProcessWithoutNullStreams, maxBytes: number, onTooMuch: () => void) {
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  let bytes = 0
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= maxBytes) chunks[stream].push(chunk)
      else if (bytes - chunk.length <= maxBytes) onTooMuch()
    })
  }
  return () => ({ stdout: Buffer.concat(chunks.stdout).toString(), stderr: Buffer.concat(chunks.stderr).toString() })
}

function abandon(child: ChildProcessWithoutNullStreams): void {
  killGroup(child.pid)
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
  child.unref()
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // ESRCH: already gone
  }
}

function signalNumber(name: NodeJS.Signals | null): number {
  return { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[name as string] ?? 0
}
