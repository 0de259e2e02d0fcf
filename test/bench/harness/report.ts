/** The result as a table for people or as JSON for machines. */
import type { Box } from './box.ts'
import { type Answer, type Figure, type Unit, verdict } from './figure.ts'
import { median } from './statistics.ts'

export interface Result extends Answer {
  readonly question: string
  readonly asks: string
  readonly seconds: number
  /** Load average as the question began: others' work. */
  readonly loadBefore: number
  /** Why it was not asked. */
  readonly skipped?: string
}

const DIGITS: Readonly<Record<Unit, number>> = { µs: 0, ms: 1, s: 2, '/s': 0, MB: 0, events: 0, '×': 2 }

function shown(value: number, unit: Unit): string {
  const digits = value < 10 && unit === '/s' ? 1 : DIGITS[unit]
  const text = value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${text.replaceAll(',', ' ')} ${unit}`
}

function row(figure: Figure): string[] {
  const { what, who, unit, runs, bar } = figure
  const range = runs.length > 1 ? `${shown(Math.min(...runs), unit)} – ${shown(Math.max(...runs), unit)}` : ''
  const asked = bar ? `${bar.at === 'most' ? '≤' : '≥'} ${shown(bar.value, unit)}` : ''
  return [what, who, shown(median(runs), unit), range, asked, verdict(figure) ?? '']
}

/** Columns as wide as their widest cell; numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  return rows.map((cells) =>
    cells
      .map((cell, column) =>
        column === 2 || column === 3 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}

export function boxLine({ processors, memoryGiB, kernel, node, syncMs, date }: Box): string {
  return `${date}  ${processors}, ${memoryGiB} GiB, Linux ${kernel}, Node ${node}, fdatasync of 1 KB p50 ${syncMs.toFixed(2)} ms`
}

export function resultText(result: Result): string {
  const { question, asks, seconds, loadBefore, skipped } = result
  const head = `\n${question}: ${asks}`
  if (skipped !== undefined) return `${head}\n  not measured: ${skipped}\n`
  const { figures, references = [], notes = [] } = result
  const lines = table([['', 'who', 'median', 'min – max', 'bar', ''], ...figures.map(row)])
  return [
    head,
    ...lines.map((line) => `  ${line}`),
    ...references.map(({ what, source }) => `  for orientation, not run beside: ${what} (${source})`),
    ...notes.map((note) => `  note: ${note}`),
    `  took ${seconds.toFixed(0)} s; load average before: ${loadBefore.toFixed(2)}\n`,
  ].join('\n')
}

/** Everything, with each figure's median worked out. */
export function resultJson(box: Box, results: readonly Result[]): string {
  const withMedians = results.map((result) => ({
    ...result,
    figures: result.figures.map((figure) => ({ ...figure, median: median(figure.runs), verdict: verdict(figure) })),
  }))
  return JSON.stringify({ box, results: withMedians }, null, 2)
}
