/** Asks the etcd v2 door on the API's TLS port. */
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import type { Door } from '../support/idle-clients.ts'
import { within } from '../support/within.ts'

const TIMEOUT_MS = 10_000
/** Handshakes are not what is asked about; unused connections do not keep the test alive. */
const agent = new Agent({ keepAlive: true, maxSockets: 16 })

export interface TlsAnswer {
  readonly status: number | undefined
  readonly body: string
}

export function askWithCertificate(door: Door, method: string, path: string): Promise<TlsAnswer> {
  const asked = new Promise<TlsAnswer>((resolve, reject) => {
    const outgoing = request({ ...door, agent, method, path })
    outgoing.on('error', reject)
    outgoing.on('response', (answer) =>
      text(answer).then((body) => resolve({ status: answer.statusCode, body }), reject),
    )
    outgoing.end()
  })
  return within(TIMEOUT_MS, asked, `an answer to ${method} ${path}`)
}
