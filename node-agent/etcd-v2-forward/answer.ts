/** An answer on its way to the client: as fast as the client reads, and ended as etcd would end it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { responseHeaders } from './headers.ts'

const NEW_LINE = 10

/** Resolves once the answer is passed on or broken off. A client that leaves breaks off the server's answer too. */
export function passOn(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  if (response.destroyed) {
    answer.destroy()
    return Promise.resolve()
  }
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, responseHeaders(answer.rawHeaders))
  // The head of a wait is all there is for minutes.
  response.flushHeaders()
  return new Promise((resolve) => {
    response.once('close', () => {
      if (!answer.complete) answer.destroy()
      resolve()
    })
    endAsEtcd(answer, response)
    answer.pipe(response)
  })
}

/**
 * A watch that breaks between two events ends as etcd ends it when it shuts down, so that the client asks again; whatever
 * else breaks must look broken.
 */
function endAsEtcd(answer: IncomingMessage, response: ServerResponse): void {
  const hasLength = answer.headers['content-length'] !== undefined
  let lastByte = NEW_LINE
  answer.on('data', (chunk: Buffer) => {
    lastByte = chunk.at(-1) ?? lastByte
  })
  answer.once('error', () => {
    if (!hasLength && lastByte === NEW_LINE) response.end()
    else response.destroy()
  })
}
