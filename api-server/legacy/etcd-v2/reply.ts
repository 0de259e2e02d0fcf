/** How answers leave: whole, with their length, in one write; heads of waits at once. */
import type { IncomingMessage, ServerResponse } from 'node:http'

/** An answer that a client has not taken by then will not be taken. */
const TAKE_TIMEOUT_MS = 60_000
const LARGE_BYTES = 64 * 1024

/** `body` is a byte string. Headers are name, value, name, value. */
export function send(response: ServerResponse, status: number, headers: readonly string[], body: string): void {
  if (response.destroyed) return
  response.writeHead(status, [...headers, 'Content-Length', String(body.length)])
  response.end(body, 'latin1')
  if (body.length > LARGE_BYTES) giveUpOnSlow(response)
}

function giveUpOnSlow(response: ServerResponse): void {
  const timer = setTimeout(() => response.destroy(), TAKE_TIMEOUT_MS)
  timer.unref()
  response.once('close', () => clearTimeout(timer))
}

/** Of what Go's http.Error says. */
export const TEXT_HEADERS = ['Content-Type', 'text/plain; charset=utf-8', 'X-Content-Type-Options', 'nosniff']

/** As Go's http.Error. */
export function sendText(response: ServerResponse, status: number, text: string, extra: readonly string[] = []): void {
  send(response, status, [...extra, ...TEXT_HEADERS], `${text}\n`)
}

export function sendNotFound(response: ServerResponse): void {
  sendText(response, 404, '404 page not found')
}

/** True when the method is one of those; else it has been refused. */
export function allow(request: IncomingMessage, response: ServerResponse, methods: readonly string[]): boolean {
  if (methods.includes(request.method ?? '')) return true
  sendText(response, 405, 'Method Not Allowed', ['Allow', methods.join(',')])
  return false
}

export function sendMoved(request: IncomingMessage, response: ServerResponse, location: string): void {
  const { method } = request
  const hasType = method === 'GET' || method === 'HEAD'
  const shown = location.replace(/[&<>"']/g, (unit) => HTML[unit] ?? unit)
  const body = method === 'GET' ? `<a href="${shown}">Moved Permanently</a>.\n\n` : ''
  const headers = ['Location', location, ...(hasType ? ['Content-Type', 'text/html; charset=utf-8'] : [])]
  if (method === 'HEAD') response.writeHead(301, headers).end()
  else send(response, 301, headers, body)
}

/** Go's html escaping. */
const HTML: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
}
