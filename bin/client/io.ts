/** What a command touches of its process: one argument, so that a test is a command with other streams. */
import type { Readable, Writable } from 'node:stream'

export interface OutputStream extends Writable {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}
export interface InputStream extends Readable {
  readonly isTTY?: boolean
  setRawMode?(isRaw: boolean): unknown
}

/** Fires on Ctrl-C or a request to end; `release` lets the process have its signals back. */
export interface Interruption {
  readonly signal: AbortSignal
  release(): void
}

export interface Io {
  readonly stdin: InputStream
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** The code the process ends with, once nothing is left to do. */
  setExitCode(code: number): void
  interruption(): Interruption
}

/** What a shell says of a command that Ctrl-C ended. */
export const INTERRUPTED_EXIT_CODE = 130

export const processIo: Io = {
  // The streams are opened when first used: `--help` needs none of them.
  get stdin() {
    return process.stdin
  },
  get stdout() {
    return process.stdout
  },
  get stderr() {
    return process.stderr
  },
  env: process.env,
  setExitCode: (code) => {
    process.exitCode = code
  },
  interruption: () => {
    const stop = new AbortController()
    const interrupt = (): void => {
      // A second Ctrl-C means now.
      if (stop.signal.aborted) process.exit(INTERRUPTED_EXIT_CODE)
      stop.abort(new Error('interrupted'))
    }
    for (const name of SIGNALS) process.on(name, interrupt)
    return {
      signal: stop.signal,
      release: () => {
        for (const name of SIGNALS) process.off(name, interrupt)
      },
    }
  },
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
