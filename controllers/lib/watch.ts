/**
 * One watch connection over client-node's Watch, made safe: its timer guards the connecting and then the silence, an
 * ERROR event ends it (client-node drops all but 410), nothing is delivered after its end, and it ends exactly once.
 */
import { Watch } from '@kubernetes/client-node'
import type { ApiObject } from '../../crds/kind.ts'
import { ApiError } from './api-error.ts'
import type { Credentials } from './credentials.ts'
import { DeadlineError } from './deadline.ts'
import type { Query } from './transport.ts'

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  /** A BOOKMARK's object holds nothing but kind and metadata.resourceVersion. */
  readonly object: ApiObject
}

export interface WatchOptions {
  /** Everything after this version is delivered, once, in order. */
  readonly resourceVersion: string
  /** Must not throw and must be quick: the connection waits for it. */
  readonly onEvent: (event: WatchEvent) => void
  /** The server accepted the watch. */
  readonly onOpen?: () => void
  /** Ends the watch when nothing, not even a bookmark, came for so long; 25 000 unless given. */
  readonly silenceMs?: number
  readonly signal?: AbortSignal
}

const CONNECT_TIMEOUT_MS = 5_000
const SILENCE_MS = 25_000

/**
 * Resolves when the server ended the watch or `signal` fired. Rejects with ApiError (refused, or ended by an ERROR
 * event), DeadlineError (silence), or the network's error.
 */
export function watchOnce(
  credentials: Credentials,
  path: string,
  { resourceVersion, onEvent, onOpen, silenceMs = SILENCE_MS, signal, query }: WatchOptions & { readonly query: Query },
): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  const watch = watchWithTimer(credentials, silenceMs)
  return new Promise((resolve, reject) => {
    let abort = (): void => {}
    let over = false
    const end = (error?: unknown): void => {
      if (over) return
      over = true
      signal?.removeEventListener('abort', stop)
      abort()
      if (error) reject(readable(error, silenceMs))
      else resolve()
    }
    const stop = () => end()
    signal?.addEventListener('abort', stop, { once: true })
    const onLine = (type: string, object: ApiObject): void => {
      if (over) return
      if (type === 'ERROR') end(new ApiError(Number(object.code), object))
      else onEvent({ type: type as WatchEvent['type'], object })
    }
    const parameters = { ...query, resourceVersion, allowWatchBookmarks: true }
    watch.watch(path, parameters, onLine, end).then((connection) => {
      abort = () => connection.abort()
      if (over) abort()
      else onOpen?.()
    }, end)
  })
}

/** client-node reads the field once before connecting and then after each chunk: two time-outs from one field. */
function watchWithTimer(credentials: Credentials, silenceMs: number): Watch {
  const watch = new Watch(credentials.forWatch)
  let connecting = true
  Object.defineProperty(watch, 'requestTimeoutMs', {
    get: () => {
      const timeoutMs = connecting ? CONNECT_TIMEOUT_MS : silenceMs
      connecting = false
      return timeoutMs
    },
  })
  return watch
}

function readable(error: unknown, silenceMs: number): unknown {
  const { statusCode, name, message } = (error ?? {}) as { statusCode?: unknown; name?: unknown; message?: unknown }
  if (typeof statusCode === 'number') return new ApiError(statusCode, { message: `watch refused: ${message}` })
  return name === 'TimeoutError' ? new DeadlineError(silenceMs) : error
}
