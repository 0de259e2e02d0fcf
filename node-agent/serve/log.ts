/** A unit's log and status over HTTP, read from the machine's own journal. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { LogLine, ObservedUnit, UnitObservation } from '../units/driver.ts'
import { type LogFormat, renderLine } from './log-text.ts'

type Journal = Pick<UnitObservation, 'journal'>

export interface LogRequest {
  readonly follow: boolean
  readonly lines: number | undefined
  readonly after: string | undefined
  readonly format: LogFormat
}

const MAX_LINES = 1_000_000
const STATUS_LINES = 10

/** What is wrong with the query, in a sentence; or the request. */
export function parseLog(query: URLSearchParams): LogRequest | string {
  const lines = query.get('lines')
  if (lines !== null && !(/^\d{1,7}$/.test(lines) && Number(lines) <= MAX_LINES))
    return `lines must be a whole number up to ${MAX_LINES}`
  const output = query.get('output') ?? 'short'
  if (output !== 'json' && output !== 'short') return 'output must be json or short'
  return {
    follow: query.get('follow') === 'true',
    lines: lines === null ? undefined : Number(lines),
    after: query.get('after') ?? undefined,
    format: output,
  }
}

/** Streams until the log ends, or the client leaves (`signal`). Waits for the client rather than buffer. */
export async function sendLog(
  driver: Journal,
  unitName: string,
  request: LogRequest,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { 'content-type': request.format === 'json' ? 'application/json-seq' : 'text/plain' })
  response.flushHeaders()
  const options = {
    follow: request.follow,
    signal,
    ...(request.lines === undefined ? {} : { lines: request.lines }),
    ...(request.after === undefined ? {} : { after: request.after }),
  }
  for await (const line of driver.journal(unitName, options)) {
    if (signal.aborted) return
    if (!response.write(renderLine(line, request.format))) await once(response, 'drain', { signal })
  }
  response.end()
}

/** Text for people, in the shape of `systemctl status`. */
export async function statusText(driver: UnitObservation, unitName: string, signal: AbortSignal): Promise<string> {
  const [observed, explanation] = await Promise.all([driver.observe([unitName]), driver.explain(unitName)])
  const seen = observed.get(unitName)
  const lines: LogLine[] = []
  for await (const line of driver.journal(unitName, { lines: STATUS_LINES, signal })) lines.push(line)
  const log = lines.map((line) => renderLine(line, 'short')).join('')
  return `${statusHead(unitName, seen)}${explanation ? `     Reason: ${explanation}\n` : ''}${log ? `\n${log}` : ''}`
}

export function statusHead(unitName: string, seen: ObservedUnit | undefined): string {
  if (seen === undefined) return `○ ${unitName}\n     Loaded: not-found\n     Active: inactive (dead)\n`
  const mark = seen.activeState === 'failed' ? '×' : seen.activeState === 'active' ? '●' : '○'
  const since =
    seen.activeEnterTimestampUs > 0 ? ` since ${new Date(seen.activeEnterTimestampUs / 1000).toISOString()}` : ''
  const result = seen.result === '' || seen.result === 'success' ? '' : ` (Result: ${seen.result})`
  return [
    `${mark} ${unitName}`,
    `     Loaded: ${seen.loadState}`,
    `     Active: ${seen.activeState} (${seen.subState})${result}${since}`,
    ...(seen.mainPID > 0 ? [`   Main PID: ${seen.mainPID}`] : []),
    ...(seen.restarts > 0 ? [`   Restarts: ${seen.restarts}`] : []),
    '',
  ].join('\n')
}
