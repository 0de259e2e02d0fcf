/** Refusals as a Kubernetes Status, so that they reach the user's terminal in words. */
import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  500: 'InternalError',
  503: 'ServiceUnavailable',
}

export function sendStatus(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(statusBody(code, message))
}

/** The same before an upgrade, where there is no response object yet. */
export function refuseUpgrade(socket: Duplex, code: number, message: string): void {
  const body = statusBody(code, message)
  const head = [
    `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? 'Refused'}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

function statusBody(code: number, message: string): string {
  const reason = REASONS[code] ?? 'Unknown'
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code })
}
