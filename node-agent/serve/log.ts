/** A unit's log over HTTP, or the whole machine's, read from the machine's own journal. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { JournalOptions, UnitDriver } from '../units/driver.ts'
import { renderLine } from './log-text.ts'

export interface LogRequest extends Omit<JournalOptions, 'signal'> {
  readonly follow: boolean
  readonly format: 'json' | 'short'
}

const MAX_LINES = 1_000_000
/** A followed log says so often that it is alive: an empty line, which is no entry. */
const SIGN_OF_LIFE_MS = 10_000
const NEWLINE = 10

/** What is wrong with the query, in a sentence; or the request. */
export function parseLog(query: URLSearchParams): LogRequest | string {
  const lines = query.get('lines')
  if (lines !== null && !(/^\d{1,7}$/.test(lines) && Number(lines) <= MAX_LINES))
    return `lines must be a whole number up to ${MAX_LINES}`
  const sinceUs = query.get('sinceUs')
  if (sinceUs !== null && !/^\d{1,16}$/.test(sinceUs)) return 'sinceUs must be microseconds since the epoch'
  const output = query.get('output') ?? 'short'
  if (output !== 'json' && output !== 'short') return 'output must be json or short'
  const after = query.get('after')
  return {
    follow: query.get('follow') === 'true',
    format: output,
    ...(lines === null ? {} : { lines: Number(lines) }),
    ...(sinceUs === null ? {} : { sinceUs: Number(sinceUs) }),
    ...(after === null ? {} : { after }),
  }
}

/** Streams until the log ends, or the client leaves (`signal`). Waits for the client rather than buffer. */
export async function sendLog(
  driver: Pick<UnitDriver, 'log' | 'journal'>,
  unitName: string | undefined,
  { format, ...which }: LogRequest,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const options = { ...which, signal }
  const pieces = format === 'json' ? driver.log(unitName, options) : asText(driver, unitName ?? '', options)
  response.writeHead(200, { 'content-type': format === 'json' ? 'application/json-seq' : 'text/plain' })
  response.flushHeaders()
  const life = signsOfLife(response, which.follow)
  try {
    for await (const piece of pieces) {
      if (signal.aborted) return
      life.saw(piece)
      if (!writeTogether(response, piece)) await once(response, 'drain', { signal })
    }
    response.end()
  } finally {
    life.end()
  }
}

async function* asText(
  driver: Pick<UnitDriver, 'journal'>,
  unitName: string,
  options: JournalOptions,
): AsyncGenerator<Uint8Array> {
  for await (const line of driver.journal(unitName, options)) yield Buffer.from(renderLine(line))
}

/** What comes in one turn leaves in one: a TLS record for each small line would cost more than reading it. */
function writeTogether(response: ServerResponse, piece: Uint8Array): boolean {
  if (response.writableCorked === 0) {
    response.cork()
    process.nextTick(() => response.uncork())
  }
  return response.write(piece)
}

/** By them both ends notice that the other one is gone; a quiet log would otherwise stay open for ever. */
function signsOfLife(response: ServerResponse, follow: boolean) {
  let isBetweenLines = true
  let isQuiet = true
  const beat = (): void => {
    if (isQuiet && isBetweenLines && !response.writableNeedDrain) response.write('\n')
    isQuiet = true
  }
  const timer = follow ? setInterval(beat, SIGN_OF_LIFE_MS) : undefined
  return {
    saw(piece: Uint8Array): void {
      isQuiet = false
      isBetweenLines = piece.at(-1) === NEWLINE
    },
    end: () => clearInterval(timer),
  }
}
