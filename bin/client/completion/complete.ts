/** The hidden `__complete` command. A shell waits for it: it is quick, or it says nothing. */
import type { Command } from 'commander'
import { withDeadline } from '../../../controllers/lib/deadline.ts'
import { openApi } from '../api.ts'
import type { Io } from '../io.ts'
import { candidates } from './candidates.ts'
import { describeProgram } from './describe.ts'
import { readLine } from './words.ts'

const DEADLINE_MS = 1_500

/** Never rejects: a completion that fails offers nothing. */
export async function complete(program: Command, io: Io, words: readonly string[]): Promise<void> {
  const line = readLine(words, describeProgram(program))
  try {
    const api = openApi(line.choice, io.env)
    const found = await withDeadline(undefined, DEADLINE_MS, (signal) => candidates(api, line, signal)).finally(() =>
      api.close(),
    )
    for (const word of found) io.stdout.write(`${word}\n`)
  } catch {
    // No kubeconfig, no server, no such kind: whoever presses Enter will be told.
  }
}
