/** Single requests outside of what is timed. */
import { Agent, request } from 'node:https'
import type { Target } from '../load/connection.ts'
import { UNITS } from './units.ts'

const TIMEOUT_MS = 20_000
/** Connections are kept: a handshake a request would be the server's main work. */
const agent = new Agent({ keepAlive: true })

/** The parsed answer of one request. Rejects on anything but 2xx. */
export function call(target: Target, method: 'GET', path: string): Promise<unknown> {
  const { host, port, tls } = target
  const options = {
    host,
    port,
    method,
    path,
    ...tls,
    servername: 'localhost',
    timeout: TIMEOUT_MS,
    agent,
  }
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.on('error', reject).on('end', () => {
        const { statusCode = 0 } = response
        if (statusCode >= 200 && statusCode < 300) resolve(JSON.parse(text))
        else reject(new Error(`${method} ${path}: ${statusCode} ${text}`))
      })
    })
    sent.on('error', reject).on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer`)))
    sent.end()
  })
}

interface UnitList {
  readonly metadata: { readonly resourceVersion: string }
  readonly items: readonly { readonly metadata: { readonly name: string } }[]
}

export async function listUnits(target: Target): Promise<UnitList> {
  return (await call(target, 'GET', UNITS)) as UnitList
}
