import { styleText } from 'node:util'
import type { Group } from './groups.ts'
import type { Verdict } from './judge.ts'
import type { GroupResult } from './run-group.ts'

export interface Report {
  begin(group: Group, files: number): void
  file(verdict: Verdict): void
  end(result: GroupResult): void
  /** Names the skips and the failures and prints, as the very last line, the counts. */
  close(results: readonly GroupResult[]): void
}

export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const SHOWN_CHARACTERS = 20_000

const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`

/** Sums over all files; a problem of a whole group counts as one failure. */
export function totalsOf(results: readonly GroupResult[]): Totals {
  const totals = { passed: 0, failed: 0, skipped: 0 }
  for (const { verdicts, problems } of results) {
    totals.failed += problems.length
    for (const verdict of verdicts) {
      totals.passed += verdict.passed
      totals.failed += verdict.failed
      totals.skipped += verdict.skipped
    }
  }
  return totals
}

/** The closing line that other tools read: `N passed, N failed`, and `, N skipped` only where there are any. */
export function closingLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

function countsOf({ passed, failed, skipped }: Verdict): string {
  const parts = [`${passed} passed`]
  if (failed > 0) parts.push(`${failed} failed`)
  if (skipped > 0) parts.push(`${skipped} skipped`)
  return parts.join(', ')
}

/** Indented, so that a file's own summary is never taken for the run's; of a long output the end. */
function indented(output: string): string {
  const hidden = Math.max(0, output.length - SHOWN_CHARACTERS)
  const head = hidden > 0 ? [`(${hidden} characters left out)`] : []
  return [...head, ...output.slice(hidden).trimEnd().split('\n')].map((line) => `      ${line}`).join('\n')
}

/** Writes the run for people, line by line; colours only where asked for. */
export function reportTo(print: (line: string) => void, colours: boolean): Report {
  const paint = (style: Parameters<typeof styleText>[0], text: string) => (colours ? styleText(style, text) : text)

  function file(verdict: Verdict): void {
    const bad = verdict.failed > 0
    const mark = bad
      ? paint('red', 'FAIL')
      : paint(verdict.passed > 0 ? 'green' : 'yellow', verdict.passed > 0 ? 'ok  ' : 'skip')
    print(`  ${mark} ${verdict.path}  ${countsOf(verdict)}  ${paint('dim', seconds(verdict.durationMs))}`)
    for (const problem of verdict.problems) print(paint('red', `    ! ${problem}`))
    if (bad && verdict.output.trim() !== '') print(indented(verdict.output))
  }

  function end({ group, durationMs, problems }: GroupResult): void {
    print(paint('dim', `  ${group.name}: ${seconds(durationMs)} of ${seconds(group.budgetMs)}`))
    for (const problem of problems) print(paint('red', `  ! ${problem}`))
  }

  function close(results: readonly GroupResult[]): void {
    const verdicts = results.flatMap((result) => result.verdicts)
    const skips = verdicts.filter(({ skipped }) => skipped > 0)
    if (skips.length > 0) print(`\n${paint('yellow', 'skipped')}`)
    for (const { path, skipped, skipReasons } of skips) print(`  ${path}: ${skipped} tests: ${skipReasons.join('; ')}`)
    const failures = verdicts.filter(({ failed }) => failed > 0)
    if (failures.length > 0) print(`\n${paint('red', 'failed')}`)
    for (const { path } of failures) print(`  ${path}`)
    print(`\n${closingLine(totalsOf(results))}`)
  }

  return {
    begin: (group, files) => print(`${paint('bold', group.name)} (${files} files)`),
    file,
    end,
    close,
  }
}
