/** Asks a fleet v1 door byte by byte: paths, methods and headers go out as they are given. */
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { within } from './within.ts'

export interface FleetAnswer {
  readonly status: number | undefined
  readonly type: string | undefined
  /** Parsed; undefined where there is none. */
  readonly body: unknown
}

export interface FleetAsk {
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: unknown
  /** Default: `application/json` where there is a body; null sends none. */
  readonly type?: string | null | undefined
}

const TIMEOUT_MS = 10_000

/** `url` is `http://HOST:PORT` or `unix:///PATH`. */
export function askFleet(url: string, method: string, path: string, ask: FleetAsk = {}): Promise<FleetAnswer> {
  const { body, type = body === undefined ? null : 'application/json' } = ask
  const where = url.startsWith('unix://')
    ? { socketPath: url.slice('unix://'.length) }
    : { host: new URL(url).hostname, port: new URL(url).port }
  const asked = new Promise<FleetAnswer>((resolve, reject) => {
    const outgoing = request({ ...where, method, path, headers: type === null ? {} : { 'Content-Type': type } })
    outgoing.on('error', reject)
    outgoing.on('response', (answer) => {
      const { statusCode: status, headers } = answer
      text(answer).then(
        (said) => resolve({ status, type: headers['content-type'], body: said === '' ? undefined : JSON.parse(said) }),
        reject,
      )
    })
    outgoing.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body))
  })
  return within(TIMEOUT_MS, asked, `an answer to ${method} ${path}`)
}
