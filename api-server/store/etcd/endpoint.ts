/** One member of the etcd cluster, as one HTTP/2 connection. */
import {
  Client,
  type ClientDuplexStream,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js'
import type { Answer, WatchAnswer } from './messages.ts'
import { methodOf } from './protocol.ts'

export interface EtcdTls {
  /** PEM. */
  readonly ca?: Uint8Array
  readonly certificate?: Uint8Array
  readonly key?: Uint8Array
  /** Name that every member's certificate carries; without it, each must carry the host of its URL. */
  readonly serverName?: string
}

export interface CallLimits {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** Takes the word of a member that knows no leader, too: what it remembers of the others, and how it does. */
  readonly leaderless?: boolean
}

export interface Endpoint {
  readonly url: string
  /** Whether a call would be sent at once. */
  readonly connected: boolean
  /** Rejects with grpc-js' ServiceError, or with the signal's reason. */
  call<T extends Answer>(
    method: `${'KV' | 'Cluster' | 'Maintenance'}.${string}`,
    request: object,
    limits: CallLimits,
  ): Promise<T>
  watch(): ClientDuplexStream<object, WatchAnswer>
  close(): void
}

/**
 * etcd closes connections that ping more often than every 5 s, or at all while nothing is asked; so a dead link without
 * calls is found within 9 s, one with calls by their deadlines.
 */
const KEEP_ALIVE = {
  'grpc.keepalive_time_ms': 6_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.keepalive_permit_without_calls': 0,
}
const CHANNEL = {
  ...KEEP_ALIVE,
  // Pages are bounded by us; what etcd accepted must be readable.
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.use_local_subchannel_pool': 1,
}

/** A member that has lost its leader answers "no leader" at once, instead of letting calls and watches wait. */
function requireLeader(): Metadata {
  const metadata = new Metadata()
  metadata.set('hasleader', 'true')
  return metadata
}

/** Throws, saying what is expected, where `url` is not `http://HOST:PORT` or `https://HOST:PORT`. */
function addressOf(url: string): { readonly address: string; readonly secure: boolean } {
  const match = /^(https?):\/\/(\[[0-9a-fA-F:]+\]|[^:/[\]\s]+):(\d{1,5})\/?$/.exec(url)
  if (match === null) throw new Error(`"${url}" is no etcd endpoint: give http(s)://HOST:PORT`)
  return { address: `${match[2]}:${match[3]}`, secure: match[1] === 'https' }
}

function credentialsOf(secure: boolean, { ca, certificate, key }: EtcdTls) {
  if (!secure) return credentials.createInsecure()
  const pem = (part: Uint8Array | undefined) => (part === undefined ? null : Buffer.from(part))
  return credentials.createSsl(pem(ca), pem(key), pem(certificate))
}

function channelOf(secure: boolean, { serverName }: EtcdTls) {
  return secure && serverName !== undefined ? { ...CHANNEL, 'grpc.ssl_target_name_override': serverName } : CHANNEL
}

export function endpointAt(url: string, tls: EtcdTls): Endpoint {
  const { address, secure } = addressOf(url)
  const client = new Client(address, credentialsOf(secure, tls), channelOf(secure, tls))
  return {
    url,
    get connected() {
      return client.getChannel().getConnectivityState(false) === connectivityState.READY
    },
    call: (method, request, limits) => unary(client, method, request, limits),
    watch() {
      const { path, requestSerialize, responseDeserialize } = methodOf('Watch.Watch')
      return client.makeBidiStreamRequest(
        path,
        requestSerialize,
        responseDeserialize as (bytes: Buffer) => WatchAnswer,
        requireLeader(),
      )
    },
    close: () => client.close(),
  }
}

/** grpc-js notes where each call was made, which costs as much as the call; its errors here say enough without. */
function withoutStack<T>(start: () => T): T {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return start()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function unary<T extends Answer>(
  client: Client,
  method: Parameters<typeof methodOf>[0],
  request: object,
  { timeoutMs, signal, leaderless }: CallLimits,
): Promise<T> {
  const { path, requestSerialize, responseDeserialize } = methodOf(method)
  return new Promise<T>((resolve, reject) => {
    const settle = (error: ServiceError | null, answer?: object) => {
      signal?.removeEventListener('abort', cancel)
      if (signal?.aborted) reject(signal.reason)
      else if (error) reject(error)
      else resolve(answer as T)
    }
    const deadline = Date.now() + timeoutMs
    const options = { deadline }
    const start = () =>
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        leaderless ? new Metadata() : requireLeader(),
        options,
        settle,
      )
    const call = withoutStack(start)
    const cancel = () => call.cancel()
    signal?.addEventListener('abort', cancel, { once: true })
    if (signal?.aborted) cancel()
  })
}
