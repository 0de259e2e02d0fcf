/**
 * One request from the plain side to one of the API servers, and its answer back.
 *
 * A server is left for the next one when it cannot be connected to, or, for a request that changes nothing, when it does
 * not begin to answer. A write that was sent is never sent twice: the client is told that nobody knows (503).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Agent } from 'node:https'
import { passOn } from './answer.ts'
import { type Outcome, startAttempt } from './attempt.ts'
import { sendUnavailable } from './refusal.ts'
import type { ServerAddress, ServerList } from './server-list.ts'

export interface Upstreams {
  readonly servers: ServerList
  /** Holds our certificate and the authority; keeps idle connections. */
  readonly agent: Agent
  readonly limits: RelayLimits
}

export interface RelayLimits {
  /** Until the TLS connection stands. */
  readonly connectMs: number
  /** Until the head of an answer; servers send that of a wait at once. */
  readonly headMs: number
}

/** Settles once the response has ended or its connection is gone. Never rejects. */
export async function relay(request: IncomingMessage, response: ServerResponse, upstreams: Upstreams): Promise<void> {
  const troubles: string[] = []
  for (const server of upstreams.servers.inOrder()) {
    const outcome = await askTwice(request, response, server, upstreams)
    if (outcome.ended !== 'failed') return
    upstreams.servers.failed(server)
    troubles.push(`${server.host}:${server.port}: ${outcome.why}`)
    if (outcome.sent && !mayRepeat(request)) break
  }
  const cause = troubles.length === 0 ? 'no API server is known' : troubles.join('; ')
  // What is left of the body would be read as the next request.
  if (!request.complete) response.setHeader('Connection', 'close')
  sendUnavailable(response, request.url ?? '', cause)
}

/** The server may have closed an idle connection in the moment we used it again; a new one tells. */
async function askTwice(
  request: IncomingMessage,
  response: ServerResponse,
  server: ServerAddress,
  upstreams: Upstreams,
): Promise<Outcome> {
  const outcome = await ask(request, response, server, upstreams)
  const isStale = outcome.ended === 'failed' && outcome.reused && mayRepeat(request)
  return isStale ? await ask(request, response, server, upstreams) : outcome
}

async function ask(
  request: IncomingMessage,
  response: ServerResponse,
  server: ServerAddress,
  upstreams: Upstreams,
): Promise<Outcome> {
  if (response.destroyed) return { ended: 'client-gone' }
  const attempt = startAttempt(request, server, upstreams)
  response.once('close', attempt.abandon)
  const outcome = await attempt.outcome
  response.off('close', attempt.abandon)
  if (outcome.ended !== 'answered') return outcome
  upstreams.servers.answered(server)
  await passOn(outcome.answer, response)
  return outcome
}

/** Changes nothing, and has no body that the first server has read. */
function mayRepeat({ method = '', headers }: IncomingMessage): boolean {
  const hasBody = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
  return ['GET', 'HEAD', 'OPTIONS'].includes(method) && !hasBody
}
