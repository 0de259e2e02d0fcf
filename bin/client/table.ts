/** Tables for people: columns as wide as their widest cell, three spaces apart, like kubectl's. */
import { type Paint, plain, printable, type Tone, toneOf } from './paint.ts'

export interface ColumnDefinition {
  readonly name: string
  readonly priority?: number
}
export interface Row {
  readonly cells: readonly unknown[]
  /** The object, or its metadata alone. */
  readonly object?: { readonly metadata?: { readonly namespace?: string } & Readonly<Record<string, unknown>> } | null
}
export interface Table {
  readonly columnDefinitions: readonly ColumnDefinition[]
  readonly rows: readonly Row[]
}

export interface TableOptions {
  readonly wide?: boolean
  readonly noHeaders?: boolean
  /** A first column with each row's namespace. */
  readonly withNamespace?: boolean
  /** Put before each name: `unit.flotilla.dev/`. */
  readonly namePrefix?: string
  readonly paint?: Paint
}

/** Remembers its widths, so that rows that come later stand under those that came before. */
export interface TablePrinter {
  /** With the header line when it is due. */
  print(rows: readonly Row[], first?: readonly string[]): string
}

const GAP = '   '
/** Columns whose words have colours. */
const STATE_COLUMNS = new Set(['ACTIVE', 'SUB', 'READY', 'STATUS', 'TYPE'])

/** `leading` names columns in front of the server's, filled from `print`'s second argument. */
export function tablePrinter(
  columns: readonly ColumnDefinition[],
  { wide, noHeaders, withNamespace, namePrefix = '', paint = plain }: TableOptions = {},
  leading: readonly string[] = [],
): TablePrinter {
  const shown = columns.flatMap((column, at) => (wide || !column.priority ? [at] : []))
  const headers = [
    ...leading,
    ...(withNamespace ? ['NAMESPACE'] : []),
    ...shown.map((at) => (columns[at]?.name ?? '').toUpperCase()),
  ]
  const widths = headers.map((header) => header.length)
  let isHeaderDue = noHeaders !== true
  const textOf = (row: Row, first: readonly string[]): string[] => [
    ...first,
    ...(withNamespace ? [row.object?.metadata?.namespace ?? ''] : []),
    ...shown.map((at) => (at === 0 ? namePrefix : '') + cellText(row.cells[at])),
  ]
  return {
    print: (rows, first = []) => {
      const lines = rows.map((row) => textOf(row, first))
      for (const line of lines)
        for (const [at, cell] of line.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
      const body = lines.map((line) => layOut(line, widths, (cell, at) => paint(toneIn(headers[at], cell), cell)))
      if (!isHeaderDue) return body.join('')
      isHeaderDue = false
      return layOut(headers, widths, (cell) => paint('bold', cell)) + body.join('')
    },
  }
}

function toneIn(header: string | undefined, cell: string): Tone | undefined {
  return STATE_COLUMNS.has(header ?? '') ? toneOf(cell) : undefined
}

function layOut(
  cells: readonly string[],
  widths: readonly number[],
  show: (cell: string, at: number) => string,
): string {
  const last = cells.length - 1
  const padded = cells.map(
    (cell, at) => show(cell, at) + (at === last ? '' : ' '.repeat((widths[at] ?? 0) - cell.length)),
  )
  return `${padded.join(GAP).trimEnd()}\n`
}

export function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  const [line = '', ...more] = text.split('\n')
  return printable(more.length > 0 ? `${line}...` : line)
}
