/** The frame of every client command: options in, exit code out, errors as sentences. */
import { setMaxListeners } from 'node:events'
import type { Command } from 'commander'
import type { Api } from './api.ts'
import { INTERRUPTED_EXIT_CODE, type Io } from './io.ts'
import type { KubeconfigChoice } from './kubeconfig.ts'
import { createOutput, type Output } from './output.ts'

export interface Session {
  readonly io: Io
  readonly out: Output
  readonly api: Api
  /** Fires on Ctrl-C, and when nobody reads our output any more. */
  readonly signal: AbortSignal
}

/** Says how a command ended; nothing is 0. */
export type Work = (session: Session) => Promise<number | undefined>

/** `--kubeconfig` and `--data-dir`, on every command that talks to a server. */
export function withKubeconfig(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'who to be and where (default: $KUBECONFIG, else the one in the data directory)')
    .option('--data-dir <dir>', 'data directory of the "flotilla up" to talk to (default: $FLOTILLA_DATA_DIR)')
}

export function withExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`)
}

/** Runs `work` and never rejects: what goes wrong is said on stderr and in the exit code. */
export async function runClient(io: Io, choice: KubeconfigChoice, work: Work): Promise<void> {
  const interruption = io.interruption()
  const stop = new AbortController()
  // One listener for each request under way; how many those are is bounded where they are made.
  setMaxListeners(0, stop.signal)
  const onInterrupt = (): void => stop.abort(interruption.signal.reason)
  interruption.signal.addEventListener('abort', onInterrupt, { once: true })
  const out = createOutput(io, () => stop.abort(new Error('nobody reads the output any more')))
  let api: Api | undefined
  try {
    const { openApi } = await import('./api.ts')
    api = openApi(choice, io.env)
    io.setExitCode((await work({ io, out, api, signal: stop.signal })) ?? 0)
  } catch (error) {
    io.setExitCode(await exitCodeOf(error, out, interruption.signal))
  } finally {
    out.release()
    interruption.release()
    await api?.close()
  }
}

async function exitCodeOf(error: unknown, out: Output, interrupted: AbortSignal): Promise<number> {
  if (out.isBroken) return 0
  if (interrupted.aborted) return INTERRUPTED_EXIT_CODE
  const { describeFailure } = await import('./failure.ts')
  out.note(describeFailure(error))
  return 1
}
