/**
 * The output of services where there is no journal: children append raw lines to `<logDir>/<unit>.log` themselves, so
 * nothing is lost or blocked while no agent lives. Raw lines have no time: the driver looks five times a second and notes
 * how long the file was at its last modification (the marks); a line's time is that of the first mark behind it, so it is
 * right to about 0.2 s, and for lines written while no agent lived it is the time of the last of them.
 *
 * A file past its bound is copied to `.log.1` and cut to nothing, as its writers hold it open; what is written in the few
 * microseconds between the last copy and the cut is lost. Positions (cursors) count from the unit's first byte ever.
 */
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'
import type { JournalOptions, LogLine } from '../driver.ts'
import { readLines } from './log-reader.ts'

const MAX_BYTES = 4 * 1024 * 1024
const MAX_MARKS = 8192
const LOOK_MS = 200
/** Opens a line that the driver itself wrote. */
const OWN = '\x1e'

export interface CapturedLogs {
  openOutput(unit: string): number
  /** A line of the driver's own, as systemd writes into the journal about its units. */
  note(unit: string, message: string): void
  read(unit: string, identifier: string, options: JournalOptions): AsyncGenerator<LogLine>
  remove(unit: string): void
  close(): void
}

interface Mark {
  /** Position behind the last byte there was. */
  readonly end: number
  readonly atUs: number
}

export interface Segments {
  /** Position of the current file's first byte. */
  readonly base: number
  readonly end: number
  readonly previous: string
  readonly current: string
}

/** `units`: those that may be writing already. */
export function captureLogs(logDir: string, units: readonly string[], maxBytes = MAX_BYTES): CapturedLogs {
  mkdirSync(logDir, { recursive: true, mode: 0o750 })
  const logs = new Map<string, ReturnType<typeof unitLog>>()
  const logOf = (unit: string) => {
    const known = logs.get(unit) ?? unitLog(join(logDir, `${unit}.log`), maxBytes)
    logs.set(unit, known)
    return known
  }
  for (const unit of units) logOf(unit)
  const looking = setInterval(() => {
    for (const log of logs.values()) log.look()
  }, LOOK_MS)
  return {
    openOutput: (unit) => openSync(logOf(unit).path, 'a', 0o640),
    note: (unit, message) => appendFileSync(logOf(unit).path, `${OWN}${message}\n`, { mode: 0o640 }),
    read: (unit, identifier, options) => readLog(logOf(unit), identifier, options),
    remove(unit) {
      logOf(unit).remove()
      logs.delete(unit)
    },
    close: () => clearInterval(looking),
  }
}

function unitLog(path: string, maxBytes: number) {
  const previous = `${path}.1`
  const marksPath = `${path}.marks`
  let { base, marks } = readMarks(marksPath)
  const saveMarks = (flag: 'a' | 'w', lines: readonly object[]) =>
    appendFileSync(marksPath, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { flag, mode: 0o640 })
  const rotate = (size: number) => {
    copyFileSync(path, previous)
    truncateSync(path, 0)
    base += size
    marks = marks.filter(({ end }) => end > base - size)
    saveMarks('w', [{ base }, ...marks])
  }
  const look = () => {
    const file = statSync(path, { throwIfNoEntry: false })
    if (!file || base + file.size <= (marks.at(-1)?.end ?? 0)) return
    const mark = { end: base + file.size, atUs: Math.round(file.mtimeMs * 1000) }
    marks.push(mark)
    if (marks.length > MAX_MARKS) {
      marks = marks.filter((_, index) => index % 2 === 1)
      saveMarks('w', [{ base }, ...marks])
    } else saveMarks('a', [mark])
    if (file.size > maxBytes) rotate(file.size)
  }
  return {
    path,
    look,
    segments: (): Segments => ({
      base,
      end: base + (statSync(path, { throwIfNoEntry: false })?.size ?? 0),
      previous,
      current: path,
    }),
    timeOf: (position: number) => marks[firstBehind(marks, position)]?.atUs ?? Date.now() * 1000,
    remove() {
      for (const file of [path, previous, marksPath]) rmSync(file, { force: true })
    },
  }
}

function firstBehind(marks: readonly Mark[], position: number): number {
  let low = 0
  let high = marks.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((marks[middle]?.end ?? 0) > position) high = middle
    else low = middle + 1
  }
  return low
}

function readMarks(path: string): { base: number; marks: Mark[] } {
  let base = 0
  const marks: Mark[] = []
  for (const line of readText(path).split('\n')) {
    const found = parseMark(line)
    if (found?.base !== undefined) base = found.base
    else if (found?.end !== undefined && found.atUs !== undefined) marks.push({ end: found.end, atUs: found.atUs })
  }
  return { base, marks }
}

function parseMark(line: string): Partial<Mark & { base: number }> | undefined {
  try {
    return JSON.parse(line) as Partial<Mark & { base: number }>
  } catch {
    // The last line of a crash, or the empty one after the last newline.
    return undefined
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // No marks yet.
    return ''
  }
}

async function* readLog(
  log: ReturnType<typeof unitLog>,
  identifier: string,
  options: JournalOptions,
): AsyncGenerator<LogLine> {
  log.look()
  for await (const { text, start, end } of readLines(log.segments, options)) {
    const isOwn = text.startsWith(OWN)
    log.look()
    yield {
      cursor: String(end),
      timestampUs: log.timeOf(start),
      message: isOwn ? text.slice(OWN.length) : text,
      identifier: isOwn ? 'flotilla' : identifier,
    }
  }
}
