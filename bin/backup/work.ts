/** The frame of the commands that work on whole stores: they need no server, so theirs is not the clients'. */
import { describeFailure } from '../client/failure.ts'
import { INTERRUPTED_EXIT_CODE, type Io } from '../client/io.ts'
import { createOutput } from '../client/output.ts'

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal
  say(text: string): Promise<void>
  /** To stderr. */
  note(text: string): void
}

/** Never rejects: what goes wrong is said on stderr and in the exit code. */
export async function runWork(io: Io, work: (surroundings: Surroundings) => Promise<void>): Promise<void> {
  const { signal, release } = io.interruption()
  const out = createOutput(io, () => undefined)
  try {
    await work({ env: io.env, signal, say: out.line, note: out.note })
  } catch (error) {
    io.setExitCode(signal.aborted ? INTERRUPTED_EXIT_CODE : 1)
    if (!signal.aborted) out.note(describeFailure(error))
  } finally {
    out.release()
    release()
  }
}
