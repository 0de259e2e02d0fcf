/**
 * Changes of a collection, told for as long as somebody listens: over ends of the watch, restarts of the server and
 * histories that are gone, each object's newest state once.
 */
import { ApiError, isApiError } from '../../controllers/lib/api-error.ts'
import { createBackoff } from '../../controllers/lib/backoff.ts'
import { sleep, systemClock } from '../../controllers/lib/clock.ts'
import type { Api } from './api.ts'
import { splitLines } from './lines.ts'
import type { Selection } from './reading.ts'
import { collectionPath, type ResourceType } from './resources.ts'
import { UnreachableError } from './unreachable.ts'

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED'
export interface Change {
  readonly type: ChangeType
  /** The object, or a Table with one row, by what was asked for. */
  readonly object: Readonly<Record<string, unknown>>
}
interface WatchLine {
  readonly type: ChangeType | 'BOOKMARK' | 'ERROR'
  readonly object: Readonly<Record<string, unknown>>
}

export interface FollowOptions extends Omit<Selection, 'signal'> {
  readonly accept: string
  readonly resourceVersion: string
  readonly signal: AbortSignal
  /** The history after our version is gone: reads the collection anew and returns its version. */
  readonly relist: () => Promise<string>
  /** The server went away (false), or came back. */
  readonly onConnection: (isUp: boolean) => void
}

/** Objects are at most 1.5 MB; a table with the whole object in a row twice that. */
const MAX_LINE_BYTES = 16 * 1024 * 1024
/** Bookmarks come every 10 s from our server, once a minute from others. */
const SILENCE_MS = 90_000

/** Ends when the signal fires. Rejects with ApiError where the server refuses for good. */
export async function* followChanges(api: Api, type: ResourceType, options: FollowOptions): AsyncGenerator<Change> {
  const { signal, onConnection, relist } = options
  const backoff = createBackoff({ firstMs: 100, maxMs: 3_000 })
  let version = options.resourceVersion
  let isAway = false
  const onOpen = (): void => {
    if (isAway) onConnection(true)
    isAway = false
  }
  while (!signal.aborted) {
    try {
      for await (const line of openWatch(api, type, options, version, onOpen)) {
        backoff.reset()
        version = versionOf(line.object) ?? version
        if (line.type !== 'BOOKMARK' && line.type !== 'ERROR') yield { type: line.type, object: line.object }
      }
    } catch (error) {
      if (signal.aborted) return
      if (isApiError(error, 410)) version = await relist()
      else isAway = wentAway(error, isAway, onConnection)
    }
    await sleep(systemClock, backoff.nextMs(), signal)
  }
}

/** A server that stops or starts; anything else would be the same the next time, and is thrown. */
function wentAway(error: unknown, wasAway: boolean, tell: (isUp: boolean) => void): true {
  if (!isPassing(error)) throw error
  if (!wasAway) tell(false)
  return true
}

/** Worth trying again: nobody answers, or the server says that it cannot just now. */
export function isPassing(error: unknown): boolean {
  return error instanceof UnreachableError || isApiError(error, 429, 500, 503, 504)
}

async function* openWatch(
  api: Api,
  type: ResourceType,
  { accept, namespace, labelSelector, fieldSelector, signal }: FollowOptions,
  resourceVersion: string,
  onOpen: () => void,
): AsyncGenerator<WatchLine> {
  const query = { watch: 'true', allowWatchBookmarks: 'true', resourceVersion, labelSelector, fieldSelector }
  const body = await api.stream(collectionPath(type, namespace), { query, accept, signal, silenceMs: SILENCE_MS })
  onOpen()
  for await (const text of splitLines(body, MAX_LINE_BYTES)) {
    const line = JSON.parse(text) as WatchLine
    if (line.type === 'ERROR') throw new ApiError(Number(line.object.code), line.object)
    yield line
  }
}

interface Versioned {
  readonly metadata?: { readonly resourceVersion?: string }
  readonly rows?: readonly { readonly object?: Versioned }[]
}

function versionOf(object: Versioned): string | undefined {
  return object.rows?.[0]?.object?.metadata?.resourceVersion ?? object.metadata?.resourceVersion
}
