/** `flotilla journal`: first what is kept, by time, then what comes. */
import type { Api } from './api.ts'
import { parseSinceMs } from './duration.ts'
import { describeFailure } from './failure.ts'
import { inOrder } from './in-order.ts'
import { holderOf } from './instances.ts'
import { followLogs, MAX_OPEN } from './journal-follow.ts'
import { mergeByTime, newestLines } from './journal-merge.ts'
import { type JournalLine, readSource, type Source, sourceName } from './journal-source.ts'
import { findUnits, type Subjects, subjectsOf } from './journal-subjects.ts'
import { lineRenderer } from './journal-text.ts'
import { plain } from './paint.ts'
import type { Session } from './session.ts'

export interface JournalOptions {
  readonly follow?: boolean
  readonly lines?: string
  readonly since?: string
  readonly afterCursor?: string
  readonly selector?: string
  readonly output: string
}

/** What journalctl -f begins with. */
const FOLLOW_LINES = 10
const TAILS_AT_ONCE = 16

export async function journal(session: Session, words: readonly string[], options: JournalOptions): Promise<number> {
  const { api, out, signal } = session
  if (options.afterCursor !== undefined && (options.since ?? options.lines) !== undefined)
    throw new Error('--after-cursor says where to begin: leave out --since and -n')
  const lines = linesOf(options)
  const notBeforeUs = options.since === undefined ? 0 : parseSinceMs(options.since, Date.now()) * 1_000
  const subjects = await subjectsOf(api, words, options.selector, signal)
  const { units, versions } = await findUnits(api, subjects.crowds, signal)
  const sources = [
    ...subjects.machines.map((machine): Source => ({ machine, cursor: options.afterCursor, notBeforeUs })),
    ...units.flatMap((unit): Source[] => {
      const machine = holderOf(unit)
      return machine ? [{ unit: unit.metadata.name, machine, cursor: options.afterCursor, notBeforeUs }] : []
    }),
  ]
  const follow = options.follow === true
  if (!follow && sources.length === 0) throw new Error(nothingRuns(words))
  const print = printer(session, options.output, isMixed(subjects, sources))
  const onNotice = (text: string): void => out.note(`-- ${text} --`)
  const request: Reading = { api, sources, lines, onNotice, signal, isStrict: sources.length === 1 }
  const isWhole = await readKept(request, print)
  if (!follow) return isWhole ? 0 : 1
  for await (const batch of followLogs(api, { subjects, versions, sources, signal, onNotice })) await print(batch)
  return 0
}

function nothingRuns(words: readonly string[]): string {
  const [word] = words
  return word ? `nothing of ${words.join(', ')} is on any machine: flotilla why ${word}` : 'no unit has such labels'
}

function isMixed({ crowds, machines }: Subjects, sources: readonly Source[]): boolean {
  return sources.length > 1 || crowds.length + machines.length > 1 || crowds.some(({ single }) => single === undefined)
}

type Print = (lines: readonly JournalLine[]) => Promise<void>

/** One write a batch: waiting for a slow reader here is what slows the machines down. */
function printer({ out }: Session, output: string, isMixed: boolean): Print {
  const isColoured = out.paint !== plain
  const render = lineRenderer({ output, isTerminal: out.isTerminal, isColoured, isMixed })
  return async (lines) => {
    await out.write(lines.map(render).join(''))
  }
}

function linesOf({ lines, follow, since, afterCursor }: JournalOptions): number | undefined {
  if (lines === undefined) return follow && since === undefined && afterCursor === undefined ? FOLLOW_LINES : undefined
  if (lines === 'all') return undefined
  if (!/^\d{1,6}$/.test(lines)) throw new Error(`-n takes a whole number or "all", not "${lines}"`)
  return Number(lines)
}

interface Reading {
  readonly api: Api
  readonly sources: readonly Source[]
  readonly lines: number | undefined
  readonly signal: AbortSignal
  readonly onNotice: (text: string) => void
  /** There is nothing else to show: what cannot be read is an error. */
  readonly isStrict: boolean
}

/** False when something of it could not be read. */
async function readKept(reading: Reading, print: Print): Promise<boolean> {
  const { sources, lines } = reading
  if (lines !== undefined && sources.length > 1) return await readTails(reading, lines, print)
  if (sources.length > MAX_OPEN)
    throw new Error(`these are ${sources.length} logs; give -n, or name fewer (${MAX_OPEN} are read whole at a time)`)
  const trouble = { count: 0 }
  const logs = sources.map((source) => orNotice(reading, source, trouble))
  for await (const batch of mergeByTime(logs)) await print(batch)
  return trouble.count === 0
}

/** Of however many logs, no more than the newest lines are held. */
async function readTails(reading: Reading, lines: number, print: Print): Promise<boolean> {
  const trouble = { count: 0 }
  const newest = newestLines(lines)
  const tail = async (source: Source): Promise<readonly JournalLine[]> => {
    const found: JournalLine[] = []
    for await (const batch of orNotice(reading, source, trouble)) found.push(...batch)
    return found
  }
  await inOrder(reading.sources, TAILS_AT_ONCE, tail, async (found) => newest.add(found))
  await print(newest.lines())
  return trouble.count === 0
}

async function* orNotice(
  { api, lines, signal, onNotice, isStrict }: Reading,
  source: Source,
  trouble: { count: number },
): AsyncGenerator<readonly JournalLine[]> {
  // With no line there would be no cursor to follow behind.
  const asked = lines === undefined ? undefined : Math.max(1, lines)
  try {
    for await (const batch of readSource(api, source, { follow: false, lines: asked, signal, onNotice }))
      if (lines !== 0) yield batch
  } catch (error) {
    if (isStrict || signal.aborted) throw error
    trouble.count++
    onNotice(`the log of ${sourceName(source)} cannot be read: ${describeFailure(error)}`)
  }
}
