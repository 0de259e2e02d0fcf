/**
 * A unit's log from the machine that holds it. Each line has a cursor, so after any break reading goes on exactly where
 * it was; when the unit moves, the new machine's lines follow from that moment on.
 */

import { isApiError } from '../../controllers/lib/api-error.ts'
import { type Backoff, createBackoff } from '../../controllers/lib/backoff.ts'
import { sleep, systemClock } from '../../controllers/lib/clock.ts'
import { fieldEquals } from '../../crds/field-selector.ts'
import type { Unit } from '../../crds/unit.ts'
import type { LogLine } from '../../node-agent/units/driver.ts'
import type { Api } from './api.ts'
import { UNITS } from './flotilla-types.ts'
import { splitLines } from './lines.ts'
import { readObject } from './reading.ts'
import { objectPath } from './resources.ts'
import { followChanges, isPassing } from './watching.ts'

export interface JournalRequest {
  readonly unit: Readonly<Unit>
  readonly follow: boolean
  /** Only the newest so many; all that is kept when absent. */
  readonly lines?: number | undefined
  /** Only what was logged since, ms since the epoch. */
  readonly sinceMs?: number | undefined
  readonly signal: AbortSignal
  /** Breaks, moves and returns, for people. */
  readonly onNotice: (text: string) => void
}
export interface JournalLine extends LogLine {
  readonly machine: string
}

/** A journal line is at most 1 MB; as JSON up to six times that. */
const MAX_LINE_BYTES = 8 * 1024 * 1024
/** Without `follow` a log that breaks so often in a row is given up. */
const MAX_BREAKS = 5

interface Reading {
  readonly request: JournalRequest
  /** Undefined while the unit is on no machine. */
  machine: string | undefined
  /** Machine to the last line shown of it: a unit may come back. */
  readonly cursors: Map<string, string>
  hasOpened: boolean
  /** Older lines are not shown, µs since the epoch. */
  notBeforeUs: number
  lines: number | undefined
  breaks: number
  readonly backoff: Backoff
}

/** Ends with the log, with the unit, or with the signal. Rejects with ApiError when the first look is refused. */
export async function* readJournal(api: Api, request: JournalRequest): AsyncGenerator<JournalLine> {
  const reading: Reading = {
    request,
    machine: holderOf(request.unit),
    cursors: new Map(),
    hasOpened: false,
    notBeforeUs: (request.sinceMs ?? 0) * 1_000,
    lines: request.lines,
    breaks: 0,
    backoff: createBackoff({ firstMs: 100, maxMs: 3_000 }),
  }
  const mover = request.follow ? followHolder(api, reading) : undefined
  try {
    while (!request.signal.aborted) {
      yield* readOnce(api, reading, mover)
      if (!request.follow && reading.breaks === 0) return
      if (mover?.isGone) return request.onNotice('the unit was deleted')
      await sleep(systemClock, reading.backoff.nextMs(), request.signal)
    }
  } finally {
    mover?.stop()
    await mover?.stopped
  }
}

export function holderOf({ spec, status }: Readonly<Unit>): string | undefined {
  return status?.machineName || spec.machineName || undefined
}

async function* readOnce(api: Api, reading: Reading, mover: Mover | undefined): AsyncGenerator<JournalLine> {
  const { request, machine = '' } = reading
  const connection = mover?.nextConnection() ?? request.signal
  const openedMs = Date.now()
  try {
    const path = `${objectPath(UNITS, request.unit.metadata.name)}/log`
    const body = await api.stream(path, { query: queryOf(reading), signal: connection, silenceMs: 0 })
    noteOpen(reading)
    for await (const text of splitLines(body, MAX_LINE_BYTES)) {
      // The unit has moved: what is still under way here would be taken for the new machine's.
      if (connection.aborted) break
      const line = JSON.parse(text) as LogLine
      reading.cursors.set(machine, line.cursor)
      reading.backoff.reset()
      if (line.timestampUs >= reading.notBeforeUs) yield { ...line, machine }
    }
  } catch (error) {
    if (request.signal.aborted) return
    if (!connection.aborted) noteBreak(reading, error)
  }
  if (request.follow && reading.hasOpened && !reading.cursors.has(machine)) goOnFrom(reading, openedMs)
}

function queryOf({ request, machine = '', cursors, lines }: Reading) {
  const cursor = cursors.get(machine)
  return {
    output: 'json',
    ...(request.follow && { follow: 'true' }),
    ...(cursor !== undefined ? { after: cursor } : lines !== undefined && { lines: String(lines) }),
  }
}

/** Nothing was shown yet: what comes next is new, and must not be cut by the number of lines asked for at first. */
function goOnFrom(reading: Reading, openedMs: number): void {
  reading.lines = undefined
  reading.notBeforeUs = Math.max(reading.notBeforeUs, openedMs * 1_000)
}

function noteOpen(reading: Reading): void {
  if (reading.breaks >= NOTED_BREAK) reading.request.onNotice('connected again')
  reading.hasOpened = true
  reading.breaks = 0
}

/** Throws what trying again cannot mend. */
function noteBreak(reading: Reading, error: unknown): void {
  const { request, hasOpened } = reading
  // While a unit moves it is for a moment on no machine, or on one that has not told its address.
  const isMoving = request.follow && isApiError(error, 400, 404)
  if (!hasOpened || !(isPassing(error) || isMoving)) throw error
  reading.breaks++
  if (!request.follow && reading.breaks > MAX_BREAKS) throw error
  if (reading.breaks === NOTED_BREAK) request.onNotice('the log cannot be reached: waiting for it')
}

/** One break alone is healed before anybody could read of it. */
const NOTED_BREAK = 2

interface Mover {
  readonly isGone: boolean
  /** Fires when the unit is somewhere else, or at the end. */
  nextConnection(): AbortSignal
  stop(): void
  readonly stopped: Promise<void>
}

/** A machine that lost power says no goodbye; the unit's own move is the news that its log goes on elsewhere. */
function followHolder(api: Api, reading: Reading): Mover {
  const { unit, signal, onNotice } = reading.request
  const stop = new AbortController()
  const onStop = (): void => stop.abort()
  signal.addEventListener('abort', onStop, { once: true })
  let connection = new AbortController()
  let isGone = false
  const see = (holder: string | undefined): void => {
    if (holder === undefined || holder === reading.machine) return
    if (reading.machine !== undefined) onNotice(`the unit moved from ${reading.machine} to ${holder}`)
    reading.machine = holder
    reading.lines = undefined
    reading.notBeforeUs = Math.max(reading.notBeforeUs, Date.now() * 1_000 - MOVE_SLACK_US)
    connection.abort()
  }
  const onGone = (): void => {
    isGone = true
    connection.abort()
  }
  const stopped = watchHolder(api, unit.metadata.name, stop.signal, see, onGone)
  stop.signal.addEventListener('abort', () => connection.abort(), { once: true })
  return {
    get isGone() {
      return isGone
    },
    nextConnection: () => {
      if (!stop.signal.aborted && !isGone) connection = new AbortController()
      return connection.signal
    },
    stop: () => {
      signal.removeEventListener('abort', onStop)
      stop.abort()
    },
    stopped,
  }
}

/** The new machine may log before we hear of the move, and its clock may be a little behind. */
const MOVE_SLACK_US = 5_000_000

async function watchHolder(
  api: Api,
  name: string,
  signal: AbortSignal,
  see: (holder: string | undefined) => void,
  onGone: () => void,
): Promise<void> {
  const look = async (): Promise<string> => {
    const unit = (await readObject(api, UNITS, name, { signal })) as Readonly<Unit>
    see(holderOf(unit))
    return unit.metadata.resourceVersion ?? ''
  }
  try {
    const selection = { fieldSelector: fieldEquals('metadata.name', name), accept: 'application/json', signal }
    const options = { ...selection, resourceVersion: await look(), relist: look, onConnection: () => {} }
    for await (const { type, object } of followChanges(api, UNITS, options)) {
      if (type === 'DELETED') return onGone()
      see(holderOf(object as unknown as Unit))
    }
  } catch (error) {
    if (isApiError(error, 404)) onGone()
    // Anything else only means that moves are not seen; the log itself says what is wrong.
  }
}
