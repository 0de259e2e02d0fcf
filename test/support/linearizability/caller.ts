/** One client's keep-alive connection to one API server: an answer, no connection at all, or silence. */
import { Agent, request } from 'node:https'
import type { Target } from './target.ts'

export interface Reply {
  readonly status: number
  readonly text: string
}

/** `unsent`: there was no connection, so nothing happened. `lost`: it may have happened. */
export type Fate = Reply | 'unsent' | 'lost'

export interface Caller {
  /** Never rejects. */
  call(method: string, path: string, body?: object): Promise<Fate>
  close(): void
}

const DEADLINE_MS = 6_000

export function callerOf({ host, port, ca, cert, key }: Target): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, host, port, ca, cert, key })
  return {
    close: () => agent.destroy(),
    call(method, path, body) {
      const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
      const headers = bytes && { 'content-type': 'application/json', 'content-length': bytes.length }
      return new Promise((resolve) => {
        const sent = request({ agent, host, port, ca, cert, key, method, path, ...(headers && { headers }) })
        const deadline = setTimeout(() => sent.destroy(new Error('no answer in time')), DEADLINE_MS)
        const settle = (fate: Fate) => {
          clearTimeout(deadline)
          resolve(fate)
        }
        sent.on('error', ({ code }: NodeJS.ErrnoException) => settle(code === 'ECONNREFUSED' ? 'unsent' : 'lost'))
        sent.on('response', (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (piece: string) => {
            text += piece
          })
          response.on('end', () => settle({ status: response.statusCode ?? 0, text }))
          response.on('error', () => settle('lost'))
        })
        sent.end(bytes)
      })
    },
  }
}
