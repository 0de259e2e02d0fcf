import type { Group, TestFile } from './groups.ts'
import { judge, type Rules, type Verdict } from './judge.ts'
import { runFile } from './run-file.ts'

export interface GroupResult {
  readonly group: Group
  readonly durationMs: number
  readonly verdicts: readonly Verdict[]
  /** What went wrong with the group as a whole, its budget above all. */
  readonly problems: readonly string[]
}

export interface RunOptions extends Rules {
  readonly root: string
  readonly signal: AbortSignal
  readonly onVerdict: (verdict: Verdict) => void
}

/** A group far beyond its budget is cut off, so that a run always ends. */
const CUT_OFF_BUDGETS = 2

async function inLanes<T>(lanes: number, items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const lane = async () => {
    for (let item = queue.shift(); item; item = queue.shift()) await run(item)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

function batches(files: readonly TestFile[], size: number): TestFile[][] {
  const count = Math.ceil(files.length / size)
  // Dealt out like cards: neighbours, which are alike, would make some batches long and others short.
  return Array.from({ length: count }, (_, index) => files.filter((_file, at) => at % count === index))
}

/** The batch as one file: runFile gives it one process. */
function together(batch: readonly TestFile[]): TestFile {
  const deadlineMs = Math.max(...batch.map((file) => file.deadlineMs))
  return { path: batch.map(({ path }) => path).join(' '), deadlineMs, heavy: false }
}

function nameOf(batch: readonly TestFile[]): string {
  const [first] = batch
  return batch.length > 1 ? `${first?.path} and ${batch.length - 1} more` : (first?.path ?? '')
}

function notStarted({ path }: TestFile, reason: string): Verdict {
  const nothing = { durationMs: 0, output: '', passed: 0, failed: 1, skipped: 0, skipReasons: [] }
  return { path, ...nothing, problems: [`not started: ${reason}`] }
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

function budgetProblems(group: Group, durationMs: number, { ci }: Rules): string[] {
  if (!ci || durationMs <= group.budgetMs) return []
  return [`${group.name} took ${seconds(durationMs)}, its budget is ${seconds(group.budgetMs)}`]
}

/** Runs the files of a group, heavy ones alone and last, and judges each; never rejects because of a test. */
export async function runGroup(group: Group, files: readonly TestFile[], options: RunOptions): Promise<GroupResult> {
  const begun = performance.now()
  const elapsedMs = () => performance.now() - begun
  const verdicts: Verdict[] = []

  const verdictOn = async (file: TestFile): Promise<Verdict> => {
    if (options.signal.aborted) return notStarted(file, 'the run was stopped')
    if (elapsedMs() > group.budgetMs * CUT_OFF_BUDGETS)
      return notStarted(file, `${group.name} is far beyond its budget`)
    return judge(await runFile(options.root, file, options.signal), options)
  }
  const run = async (file: TestFile) => {
    const verdict = await verdictOn(file)
    verdicts.push(verdict)
    options.onVerdict(verdict)
  }
  const runTogether = async (batch: readonly TestFile[]) => {
    const verdict = await verdictOn(together(batch))
    const isWell = verdict.failed + verdict.skipped + verdict.problems.length === 0
    if (isWell || batch.length === 1 || options.signal.aborted) {
      const named = { ...verdict, path: nameOf(batch) }
      verdicts.push(named)
      options.onVerdict(named)
    } else for (const file of batch) await run(file)
  }
  await inLanes(
    group.lanes,
    batches(
      files.filter(({ heavy }) => !heavy),
      group.batch,
    ),
    runTogether,
  )
  await inLanes(
    1,
    files.filter(({ heavy }) => heavy),
    run,
  )
  const durationMs = elapsedMs()
  return { group, durationMs, verdicts, problems: budgetProblems(group, durationMs, options) }
}
