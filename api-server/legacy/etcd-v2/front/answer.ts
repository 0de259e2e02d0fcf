/** Answers as node:http writes them, to the byte: a client cannot tell by which way its request went. */
import { STATUS_CODES } from 'node:http'

/** `headers` are name, value, name, value; `body` is a byte string. */
export type Answer = (status: number, headers: readonly string[], body: string) => void

let dateSecond = 0
let dateText = ''

/** It changes once a second. */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    dateText = new Date(second * 1000).toUTCString()
  }
  return dateText
}

/** `keepSeconds`: how long the connection may idle afterwards; undefined: it ends with this answer. */
export function renderAnswer(
  status: number,
  headers: readonly string[],
  body: string,
  keepSeconds: number | undefined,
): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`
  for (let at = 0; at + 1 < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`
  const end = keepSeconds === undefined ? 'close' : `keep-alive\r\nKeep-Alive: timeout=${keepSeconds}`
  return `${head}Content-Length: ${body.length}\r\nDate: ${httpDate()}\r\nConnection: ${end}\r\n\r\n${body}`
}
