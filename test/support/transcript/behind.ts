/** A command that goes on while later ones run, such as a watch: it has to print its lines, in their order. */
import { startProcess } from '../process.ts'
import { until } from '../until.ts'
import { ANY_LINES, linesOf, matches } from './match.ts'
import type { Step } from './parse.ts'

export interface Behind {
  /** Waits until all is printed that should be; the result tells what was printed instead. */
  settle(): Promise<string[]>
  stop(): Promise<void>
}

interface Place {
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
}

const TIMEOUT_MS = 10_000

/** Both streams count as one. Returns when the first of the step's lines is there, so that what follows is seen. */
export async function startBehind(step: Step, { folder, env }: Place): Promise<Behind> {
  const expected = [...step.stderr, ...step.stdout]
  const running = await startProcess(['bash', '-c', `exec ${step.command}`], { cwd: folder, env })
  const printed = () => running.lines.join('\n')
  const has = (lines: readonly string[]) => () => matches(lines, printed())
  const seen = (lines: readonly string[]) =>
    until(has(lines), { what: step.command, timeoutMs: TIMEOUT_MS }).then(
      () => [],
      () => [`$& ${step.command}   # line ${step.line}\n${linesOf(printed()).join('\n')}`],
    )
  const begins = expected.findIndex((line) => line !== ANY_LINES)
  await seen([...expected.slice(0, begins + 1), ANY_LINES])
  return {
    settle: () => seen(expected),
    stop: async () => {
      await running.stop()
    },
  }
}
