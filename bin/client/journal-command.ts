/** `flotilla journal`. */
import type { Unit } from '../../crds/unit.ts'
import { renderLine } from '../../node-agent/serve/log-text.ts'
import { parseSinceMs } from './duration.ts'
import { UNITS } from './flotilla-types.ts'
import { type JournalLine, readJournal } from './journal.ts'
import { printable } from './paint.ts'
import { readObject } from './reading.ts'
import type { Session } from './session.ts'
import { unitNameOf } from './unit-name.ts'

export interface JournalOptions {
  readonly follow?: boolean
  readonly lines?: string
  readonly since?: string
  readonly output: string
}

/** What journalctl -f begins with. */
const FOLLOW_LINES = 10

export async function journal(session: Session, word: string, options: JournalOptions): Promise<number> {
  const { api, out, signal } = session
  const render = rendererOf(options.output, out.isTerminal)
  const sinceMs = options.since === undefined ? undefined : parseSinceMs(options.since, Date.now())
  const lines = linesOf(options)
  const unit = (await readObject(api, UNITS, unitNameOf(word), { signal })) as Readonly<Unit>
  const request = {
    ...{ unit, sinceMs, lines, signal },
    follow: options.follow === true,
    onNotice: (text: string) => out.note(`-- ${text} --`),
  }
  for await (const line of readJournal(api, request)) await out.write(render(line))
  return 0
}

function linesOf({ lines, follow, since }: JournalOptions): number | undefined {
  if (lines === undefined) return follow && since === undefined ? FOLLOW_LINES : undefined
  if (lines === 'all') return undefined
  if (!/^\d{1,7}$/.test(lines)) throw new Error(`-n takes a whole number or "all", not "${lines}"`)
  return Number(lines)
}

function rendererOf(output: string, isTerminal: boolean): (line: JournalLine) => string {
  const clean = (line: JournalLine): JournalLine => (isTerminal ? { ...line, message: shown(line.message) } : line)
  switch (output) {
    case 'json':
      return (line) => `${JSON.stringify(line)}\n`
    case 'cat':
      return (line) => `${clean(line).message}\n`
    case 'short':
      return (line) => renderLine(clean(line), 'short', line.machine)
    default:
      throw new Error(`-o ${output} is unknown; there are short, json and cat`)
  }
}

/** Lines of a message stay lines. */
function shown(message: string): string {
  return message.split('\n').map(printable).join('\n')
}
