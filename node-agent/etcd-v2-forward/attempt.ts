/** One request to one server, up to the head of its answer, with a deadline for each part of the way. */
import type { ClientRequest, IncomingMessage } from 'node:http'
import { request as open } from 'node:https'
import { isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { requestHeaders } from './headers.ts'
import type { Upstreams } from './relay.ts'
import type { ServerAddress } from './server-list.ts'

export type Outcome =
  | { readonly ended: 'answered'; readonly answer: IncomingMessage }
  | { readonly ended: 'client-gone' }
  | {
      readonly ended: 'failed'
      /** The request may have been carried out. */
      readonly sent: boolean
      /** On a connection that had been idle. */
      readonly reused: boolean
      readonly why: string
    }

export interface Attempt {
  /** Never rejects. */
  readonly outcome: Promise<Outcome>
  /** The client has left: the server need not go on. */
  readonly abandon: () => void
}

/** libuv probes every second after so long a silence: a server that lost power under a long wait is noticed. */
const KEEP_ALIVE_MS = 10_000

/** The body is sent only once there is somebody to read it, so that the next server can still have it. */
export function startAttempt(request: IncomingMessage, server: ServerAddress, upstreams: Upstreams): Attempt {
  const { limits } = upstreams
  const upstream = openRequest(request, server, upstreams)
  const progress = { sent: false, isAbandoned: false }
  let cancel = giveUpAfter(upstream, limits.connectMs, 'no connection in time')
  onConnected(upstream, () => {
    cancel()
    if (upstream.destroyed) return
    cancel = giveUpAfter(upstream, limits.headMs, 'no answer in time')
    progress.sent = true
    sendBody(request, upstream)
  })
  const outcome = new Promise<Outcome>((resolve) => {
    const fail = (why: string): void => {
      const { sent, isAbandoned } = progress
      resolve(isAbandoned ? { ended: 'client-gone' } : { ended: 'failed', sent, reused: upstream.reusedSocket, why })
    }
    upstream.once('response', (answer: IncomingMessage) => resolve({ ended: 'answered', answer }))
    upstream.on('error', ({ message }) => fail(message))
    upstream.once('close', () => fail('the connection was closed'))
  }).finally(() => cancel())
  const abandon = (): void => {
    progress.isAbandoned = true
    upstream.destroy()
  }
  return { outcome, abandon }
}

function openRequest(
  { method, url, rawHeaders }: IncomingMessage,
  { host, port, serverName = isIP(host) ? '' : host }: ServerAddress,
  { agent }: Upstreams,
): ClientRequest {
  const own = { 'x-forwarded-proto': 'http', 'x-flotilla-door': 'etcd-v2' }
  return open({
    ...{ agent, host, port, servername: serverName, method, path: url, setHost: false },
    // The client's Host goes on: it is the address under which the client can come back.
    headers: { host: `${host}:${port}`, ...requestHeaders(rawHeaders), ...own },
  })
}

function giveUpAfter(upstream: ClientRequest, timeoutMs: number, why: string): () => void {
  const timer = setTimeout(() => upstream.destroy(new Error(`${why} (${timeoutMs} ms)`)), timeoutMs)
  return () => clearTimeout(timer)
}

function onConnected(upstream: ClientRequest, fn: () => void): void {
  upstream.once('socket', (socket) => {
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.setNoDelay(true)
    if (upstream.reusedSocket || (!socket.connecting && (socket as TLSSocket).getProtocol?.())) fn()
    else socket.once('secureConnect', fn)
  })
}

/** Ends with the client's body. A client that leaves half-way abandons the attempt. */
function sendBody(request: IncomingMessage, upstream: ClientRequest): void {
  const { headers } = request
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) upstream.end()
  else request.pipe(upstream)
}
