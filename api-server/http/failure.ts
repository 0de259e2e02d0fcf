/** Anything that goes wrong, as a Status; what is not ours is logged here and told to nobody. */
import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { badRequest, internal, type Status, StatusError, tooLarge, unsupportedMediaType } from '../registry/errors.ts'
import { storeRefusal } from '../registry/store-refusal.ts'
import { ACCEPTED, MAX_BODY_BYTES } from './body.ts'
import { CACHE_CONTROL, JSON_TYPE, sendStatus } from './reply.ts'

/** Answers with the failure; where an answer has begun, cutting it off is the only way left to say that it is not whole. */
export function sendFailure(
  response: ServerResponse,
  error: unknown,
  log: Logger,
  about: { readonly method: string; readonly url: string },
): void {
  const status = statusOf(log, error, about)
  if (response.headersSent) response.destroy()
  else sendStatus(response, status)
}

function statusOf(log: Logger, error: unknown, about?: object): Status {
  if (error instanceof StatusError) return error.status
  const refusal = storeRefusal(error)
  if (refusal) return refusal.status
  const { code, statusCode } = (error ?? {}) as { code?: string; statusCode?: number }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return tooLarge(MAX_BODY_BYTES).status
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return unsupportedMediaType(ACCEPTED).status
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT' || code === 'HPE_HEADER_OVERFLOW' || code?.startsWith('HPE_'))
    return brokenRequest(code)
  if (code?.startsWith('FST_ERR_') && statusCode !== undefined && statusCode < 500)
    return badRequest(error instanceof Error ? error.message : 'bad request').status
  log.error({ err: error, ...about }, 'request failed')
  return internal().status
}

/** What Node's parser makes of bytes that are no request. */
function brokenRequest(code: string): Status {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new StatusError(408, 'Timeout', 'the request did not arrive in time').status
  if (code === 'HPE_HEADER_OVERFLOW')
    return new StatusError(431, 'RequestHeaderFieldsTooLarge', 'the head of the request is too long').status
  return badRequest(`malformed HTTP request: ${code}`).status
}

const LINGER_MS = 2_000

/** The same on a bare socket, which ends with it. */
export function endWithFailure(socket: Duplex, error: unknown, log: Logger): void {
  if (socket.writableEnded) return // told already; what still comes in is more of the same
  const status = statusOf(log, error)
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = JSON.stringify(status)
  const head = [
    `HTTP/1.1 ${status.code ?? 500} ${status.reason ?? 'Error'}`,
    `content-type: ${JSON_TYPE}`,
    `cache-control: ${CACHE_CONTROL}`,
    'connection: close',
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  // What was sent and not read would make the kernel reset the connection, and the answer would be lost with it.
  socket.resume()
  const late = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(late))
}
