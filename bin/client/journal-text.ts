/** Lines of logs as people read them: which machine, which unit if there are several, each in a colour of its own. */
import { renderLine } from '../../node-agent/serve/log-text.ts'
import type { JournalLine } from './journal-source.ts'
import { printable } from './paint.ts'

export interface RenderOptions {
  readonly output: string
  readonly isTerminal: boolean
  readonly isColoured: boolean
  /** Lines come from more than one unit. */
  readonly isMixed: boolean
}

/** Cyan, yellow, magenta, green, blue, and their bright kind; red is for what is bad. */
const COLOURS = [36, 33, 35, 32, 34, 96, 93, 95, 92, 94]

/** Throws a sentence for an output that there is not. */
export function lineRenderer({
  output,
  isTerminal,
  isColoured,
  isMixed,
}: RenderOptions): (line: JournalLine) => string {
  const clean = (line: JournalLine): JournalLine => (isTerminal ? { ...line, message: shown(line.message) } : line)
  const colour = isColoured ? colours() : (_line: JournalLine, text: string) => text
  switch (output) {
    case 'json':
      return (line) => `${JSON.stringify(line)}\n`
    case 'cat':
      return (line) => `${clean(line).message}\n`
    case 'short':
      return (line) => {
        const source = isMixed && line.unit !== undefined ? `${line.machine} ${line.unit}` : line.machine
        return renderLine(clean(line), source, (host) => colour(line, host))
      }
    default:
      throw new Error(`-o ${output} is unknown; there are short, json and cat`)
  }
}

/** As many as there are; the one after the last begins anew. */
function colours(): (line: JournalLine, text: string) => string {
  const given = new Map<string, number>()
  return ({ machine, unit = '' }, text) => {
    const key = `${machine} ${unit}`
    const code = given.get(key) ?? COLOURS[given.size % COLOURS.length] ?? 0
    if (given.size < MAX_REMEMBERED) given.set(key, code)
    return `\u001b[${code}m${text}\u001b[0m`
  }
}

const MAX_REMEMBERED = 10_000

/** Lines of a message stay lines. */
function shown(message: string): string {
  return message.includes('\n') ? message.split('\n').map(printable).join('\n') : printable(message)
}
