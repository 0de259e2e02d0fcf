/** One JSON request to the API server: deadline, connection reuse, errors as ApiError. */
import { type Dispatcher, request as send } from 'undici'
import { ApiError } from './api-error.ts'
import type { Credentials } from './credentials.ts'
import { withDeadline } from './deadline.ts'

export type Query = Readonly<Record<string, string | undefined>>

export interface RequestOptions {
  readonly query?: Query
  readonly body?: unknown
  readonly contentType?: string
  /** application/json unless given. */
  readonly accept?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}
export interface Transport {
  request<T>(method: Dispatcher.HttpMethod, path: string, options?: RequestOptions): Promise<T>
}

const TIMEOUT_MS = 5_000
/** Two heartbeats of an agent and more: a server that stalls for a second must not be met by all its clients' handshakes. */
const SILENCE_MS = 4_000

/**
 * When no call was answered for `silenceMs` and then one is, open watches are made anew: what was sent to them in the silence
 * is resent only after a pause as long as the silence itself (TCP's back-off), and until then they would miss everything.
 */
export function createTransport(
  credentials: Credentials,
  userAgent: string,
  { silenceMs = SILENCE_MS }: { readonly silenceMs?: number | undefined } = {},
): Transport {
  const silence = createSilence(silenceMs, credentials.reconnect)
  const attempt = async (method: Dispatcher.HttpMethod, path: string, options: RequestOptions, signal: AbortSignal) => {
    const { dispatcher, headers } = await credentials.access()
    const hasBody = options.body !== undefined
    const response = await send(`${credentials.server}${path}${queryString(options.query)}`, {
      dispatcher,
      method,
      signal,
      headers: {
        ...headers,
        accept: options.accept ?? 'application/json',
        'user-agent': userAgent,
        ...(hasBody ? { 'content-type': options.contentType ?? 'application/json' } : {}),
      },
      body: hasBody ? JSON.stringify(options.body) : null,
      // A DELETE with a body would cost its connection, and the next request a TLS handshake of some milliseconds.
      reset: false,
    })
    silence.answered()
    if (response.statusCode === 401) credentials.refused()
    return answerOf(response)
  }
  return {
    request: <T>(method: Dispatcher.HttpMethod, path: string, options: RequestOptions = {}) =>
      withDeadline(options.signal, options.timeoutMs ?? TIMEOUT_MS, async (signal) => {
        try {
          return (await attempt(method, path, options, signal)) as T
        } catch (error) {
          if (signal.aborted && !options.signal?.aborted) silence.missed()
          if (error instanceof ApiError || signal.aborted) throw error
          // The server may close an idle connection just as it is used again; reading once more is harmless.
          if (method === 'GET' && isClosedSocket(error)) return (await attempt(method, path, options, signal)) as T
          throw new Error(`${method} ${path}: ${messageOf(error)}`, { cause: error })
        }
      }),
  }
}

/** Calls `onEnd` when an answer ends a silence: nothing was answered for so long, though something was asked. */
function createSilence(longMs: number, onEnd: () => void) {
  let answeredMs = performance.now()
  let hasMissed = false
  return {
    missed: (): void => {
      hasMissed = true
    },
    answered: (): void => {
      const nowMs = performance.now()
      const isOver = hasMissed && nowMs - answeredMs >= longMs
      answeredMs = nowMs
      hasMissed = false
      if (isOver) onEnd()
    },
  }
}

async function answerOf(response: Dispatcher.ResponseData): Promise<unknown> {
  const text = await response.body.text()
  const answer = parse(text)
  if (response.statusCode < 300) return answer
  const retryAfter = Number(response.headers['retry-after'])
  throw new ApiError(response.statusCode, answer, retryAfter > 0 ? retryAfter * 1_000 : undefined)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not from our server (a proxy's error page): the text itself is all there is to tell.
    return { message: text.slice(0, 1_000) }
  }
}

function isClosedSocket(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
}

function messageOf(error: unknown): string {
  const { message, code } = (error ?? {}) as { message?: unknown; code?: unknown }
  return String(message || code || error)
}

export function queryString(query: Query = {}): string {
  const parts = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  )
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}
