/** What the forwarder says itself, in etcd's words (etcd documentation, "v2 error code"), so that clients understand. */
import type { ServerResponse } from 'node:http'

/** 300, "Raft Internal Error", is etcd's own word for "not now"; with 503 its clients go on to their next endpoint. */
const NOT_NOW = 300

export function sendUnavailable(response: ServerResponse, path: string, cause: string): void {
  const isHealth = path.startsWith('/health')
  const body = { errorCode: NOT_NOW, message: 'Raft Internal Error', cause, index: 0 }
  if (!isHealth) response.setHeader('X-Etcd-Index', '0')
  if (isHealth) sendText(response, 503, '{"health":"false"}')
  else send(response, 503, 'application/json', `${JSON.stringify(body)}\n`)
}

export function sendNotFound(response: ServerResponse): void {
  response.setHeader('X-Content-Type-Options', 'nosniff')
  sendText(response, 404, '404 page not found\n')
}

function sendText(response: ServerResponse, code: number, text: string): void {
  send(response, code, 'text/plain; charset=utf-8', text)
}

function send(response: ServerResponse, code: number, type: string, text: string): void {
  response.writeHead(code, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) }).end(text)
}
