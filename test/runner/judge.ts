import { stripVTControlCharacters } from 'node:util'
import type { FileRun } from './run-file.ts'

/** The verdict on one test file: counts of tests, and what is wrong with the file as a whole. */
export interface Verdict {
  readonly path: string
  readonly durationMs: number
  readonly output: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly skipReasons: readonly string[]
  /** Each makes the file a failure, whatever its tests say. */
  readonly problems: readonly string[]
}

export interface Rules {
  /** With CI=true a skip is a failure. */
  readonly ci: boolean
  /** Requirements that CI may lack: reasons begin with their name. */
  readonly allowedToLack: readonly string[]
}

interface Counts {
  readonly total: number
  readonly passed: number
  readonly skipped: number
}

function summariesIn(output: string): Counts[] {
  const closing = /^\s*Total:\s+(\d+)\s*\n\s*Passed:\s+(\d+)\s*\n\s*Skipped:\s+(\d+)\s*$/gm
  return [...output.matchAll(closing)].map(([, total, passed, skipped]) => ({
    total: Number(total),
    passed: Number(passed),
    skipped: Number(skipped),
  }))
}

function skipReasonsIn(output: string): string[] {
  return [...output.matchAll(/^\s*skip: (.+)$/gm)].map(([, reason = '']) => reason.trim())
}

function isAllowed(reason: string, { allowedToLack }: Rules): boolean {
  return allowedToLack.some((name) => reason.includes(`: ${name}: `))
}

function skipProblems({ skipped }: Counts, reasons: readonly string[], rules: Rules): string[] {
  if (skipped === 0) return []
  if (reasons.length === 0)
    return ['skips tests without a printed reason (use suiteOf of test/support/requirements.ts)']
  const refused = rules.ci ? reasons.filter((reason) => !isAllowed(reason, rules)) : []
  return refused.map((reason) => `with CI=true nothing may be skipped: ${reason}`)
}

function countProblems(summaries: readonly Counts[]): string[] {
  const [counts, ...more] = summaries
  if (counts === undefined) return ['no summary: it ended before its tests did, or never called .run()']
  if (more.length > 0) return ['several summaries: .run() was called after an await; call all of them in one go']
  return counts.total + counts.skipped === 0 ? ['ran no tests'] : []
}

function exitProblems({ code, signal }: FileRun, failedTests: number): string[] {
  if (signal !== null) return [`was ended by ${signal}`]
  return code === 0 || failedTests > 0 ? [] : [`exit code ${code} although no test failed`]
}

/** Judges a finished file by its summary, its exit, its skips and what it left behind. Pure. */
export function judge(run: FileRun, rules: Rules): Verdict {
  const output = stripVTControlCharacters(run.output)
  const summaries = summariesIn(output)
  const counts = summaries.at(-1) ?? { total: 0, passed: 0, skipped: 0 }
  const failedTests = counts.total - counts.passed
  const skipReasons = skipReasonsIn(output)
  const problems = [
    ...(run.killed === undefined ? [...exitProblems(run, failedTests), ...countProblems(summaries)] : [run.killed]),
    ...skipProblems(counts, skipReasons, rules),
    ...run.leftBehind.map((what) => `left behind: ${what}`),
  ]
  return {
    path: run.path,
    durationMs: run.durationMs,
    output,
    passed: counts.passed,
    failed: Math.max(failedTests, problems.length > 0 ? 1 : 0),
    skipped: counts.skipped,
    skipReasons: counts.skipped > 0 ? skipReasons : [],
    problems,
  }
}
