/**
 * One log on one machine: of a unit there, or of the machine. Each line has a cursor, so after any break (a server that
 * restarts, an agent, the machine itself) reading goes on exactly behind the last line that was handed on.
 */
import { isApiError } from '../../controllers/lib/api-error.ts'
import { createBackoff } from '../../controllers/lib/backoff.ts'
import { sleep, systemClock } from '../../controllers/lib/clock.ts'
import { type JournalEntry, parseEntry } from '../../node-agent/units/journal-entry.ts'
import type { Api } from './api.ts'
import { MACHINES, UNITS } from './flotilla-types.ts'
import { lineBatches } from './lines.ts'
import { objectPath } from './resources.ts'
import { isPassing } from './watching.ts'

export interface JournalLine extends JournalEntry {
  readonly machine: string
  /** The Unit object's name; absent in a machine's own journal. */
  readonly unit?: string
}

export interface Source {
  /** Absent: the whole machine. */
  readonly unit?: string
  readonly machine: string
  /** Of the last line handed on. */
  cursor: string | undefined
  /** Older lines are not shown, µs since the epoch. */
  readonly notBeforeUs: number
}

export interface ReadOptions {
  readonly follow: boolean
  /** Only the newest so many; all unless given. Not when followed: read first, then follow behind the cursor. */
  readonly lines?: number | undefined
  readonly signal: AbortSignal
  /** Breaks and returns, for people. */
  readonly onNotice: (text: string) => void
}

/** The agent reads entries of at most 1 MB; as JSON that is up to six times as much. */
const MAX_LINE_BYTES = 8 * 1024 * 1024
/** Without `follow` a log that breaks so often in a row is given up. */
const MAX_BREAKS = 5
/** One break alone is healed before anybody could read of it. */
const NOTED_BREAK = 2
/** A followed log gives a sign of life each 10 s; one that is not may be searched for a while first. */
const SILENCE_MS = { followed: 45_000, read: 180_000 }

export function sourceName({ unit, machine }: Source): string {
  return unit === undefined ? machine : `${unit} on ${machine}`
}

/** Lines in batches, as they come. Ends with the log, or with the signal. Rejects where trying again cannot mend it. */
export async function* readSource(
  api: Api,
  source: Source,
  options: ReadOptions,
): AsyncGenerator<readonly JournalLine[]> {
  const { follow, signal, onNotice } = options
  const backoff = createBackoff({ firstMs: 100, maxMs: 3_000 })
  const state = { breaks: 0, hasOpened: false }
  while (!signal.aborted) {
    try {
      for await (const texts of openLog(api, source, options, state)) {
        if (signal.aborted) return
        const lines = handOn(source, texts)
        if (lines.length === 0) continue
        backoff.reset()
        yield lines
      }
      if (!follow) return
    } catch (error) {
      if (signal.aborted) return
      noteBreak(source, error, options, state)
    }
    if (state.breaks === NOTED_BREAK) onNotice(`the log of ${sourceName(source)} cannot be reached: waiting for it`)
    await sleep(systemClock, backoff.nextMs(), signal)
  }
}

interface State {
  breaks: number
  hasOpened: boolean
}

async function* openLog(
  api: Api,
  { unit, machine, cursor, notBeforeUs }: Source,
  { follow, lines, signal, onNotice }: ReadOptions,
  state: State,
): AsyncGenerator<readonly string[]> {
  const path = unit === undefined ? objectPath(MACHINES, machine) : objectPath(UNITS, unit)
  const query = {
    output: 'json',
    ...(follow && { follow: 'true' }),
    ...(cursor !== undefined && { after: cursor }),
    ...(cursor === undefined && lines !== undefined && { lines: String(lines) }),
    ...(cursor === undefined && notBeforeUs > 0 && { sinceUs: String(notBeforeUs) }),
  }
  const silenceMs = follow ? SILENCE_MS.followed : SILENCE_MS.read
  const body = await api.stream(`${path}/log`, { query, signal, silenceMs })
  if (state.breaks >= NOTED_BREAK) onNotice('connected again')
  Object.assign(state, { breaks: 0, hasOpened: true })
  yield* lineBatches(body, MAX_LINE_BYTES, () => onNotice(`a line of more than ${MAX_LINE_BYTES} bytes is left out`))
}

function handOn(source: Source, texts: readonly string[]): JournalLine[] {
  const { unit, machine, notBeforeUs } = source
  const whose = unit === undefined ? { machine } : { machine, unit }
  const shown: JournalLine[] = []
  for (const text of texts) {
    const entry = parseEntry(text)
    if (entry === undefined) continue
    source.cursor = entry.cursor
    if (entry.timestampUs >= notBeforeUs) shown.push({ ...entry, ...whose })
  }
  return shown
}

/** Throws what trying again cannot mend. What is followed was read before, or has just come: it is worth waiting for. */
function noteBreak(source: Source, error: unknown, { follow }: ReadOptions, state: State): void {
  // While a unit moves it is for a moment on no machine, or on one that has not told its address.
  const isMoving = follow && isApiError(error, 400, 404)
  const isKnown = follow || state.hasOpened || source.cursor !== undefined
  if (!isKnown || !(isPassing(error) || isMoving)) throw error
  state.breaks++
  if (!follow && state.breaks > MAX_BREAKS) throw error
}
