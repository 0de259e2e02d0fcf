/**
 * A local, always current copy of one kind (or of a selection of it). Handlers get keys, never events: what the object is
 * now is asked from `get`. Survives restarts of the server without losing or doubling anything.
 *
 * client-node's own informer is not used: it stops for good at the first error, sleeps up to 30 s after a clean close,
 * and leaves a watch open when it is stopped while it lists. Its Watch is, under a loop of our own.
 */
import type { Logger } from 'pino'
import type { ApiObject, Kind, ObjectOf } from '../../crds/kind.ts'
import { isApiError } from './api-error.ts'
import { type BackoffOptions, createBackoff } from './backoff.ts'
import type { ApiReader, List, ListOptions } from './client.ts'
import { type Clock, sleep, systemClock } from './clock.ts'
import { createObjectCache, type ObjectCache } from './object-cache.ts'
import type { Runnable } from './runnable.ts'
import type { WatchEvent, WatchOptions } from './watch.ts'

export interface InformerOptions<K extends Kind> {
  readonly client: ApiReader
  readonly kind: K
  readonly log: Logger
  readonly namespace?: string
  readonly fieldSelector?: string
  readonly labelSelector?: string
  /** The same as a first `subscribe`. */
  readonly onChange?: (key: string) => void
  /** The server was heard: a list, an accepted watch, an event, a bookmark. */
  readonly onContact?: () => void
  readonly clock?: Clock
  readonly backoff?: BackoffOptions
  /** How long the server may be silent, bookmarks included, before the watch is opened anew. */
  readonly silenceMs?: number
}

export interface Informer<T> extends Runnable {
  /** Resolves after the first complete list. */
  readonly ready: Promise<void>
  /** Key: `name`, or `namespace/name` for namespaced kinds. */
  get(key: string): Readonly<T> | undefined
  list(): Readonly<T>[]
  /** `onChange` is called with a key after the copy of it changed; it must only enqueue. A throw is logged, never fatal. */
  subscribe(onChange: (key: string) => void): () => void
  /** Monotonic time (of the clock) at which the server was last heard here; -Infinity before. */
  lastContact(): number
}

const BACKOFF: BackoffOptions = { firstMs: 100, maxMs: 3_000, jitter: 0.5 }
/** A watch that lasted so long was no failure to connect, whatever ended it. */
const STEADY_MS = 5_000

export function createInformer<K extends Kind>(options: InformerOptions<K>): Informer<ObjectOf<K>> {
  const { kind, log, clock = systemClock } = options
  const cache = createObjectCache(log)
  if (options.onChange) cache.subscribe(options.onChange)
  let lastContactMs = Number.NEGATIVE_INFINITY
  let markReady = (): void => {}
  const ready = new Promise<void>((resolve) => {
    markReady = resolve
  })
  const contact = (): void => {
    lastContactMs = clock.monotonicMs()
    options.onContact?.()
  }
  const follow = createFollower(sourceOf(options), options, { cache, contact, markReady, clock })
  return {
    name: `informer ${kind.plural}`,
    ready,
    start: follow,
    get: (key) => cache.get(key) as unknown as ObjectOf<K> | undefined,
    list: () => cache.list() as unknown as ObjectOf<K>[],
    subscribe: cache.subscribe,
    lastContact: () => lastContactMs,
  }
}

function sourceOf<K extends Kind>(options: InformerOptions<K>): Source {
  const { client, kind } = options
  const selection = selectionOf(options)
  return {
    name: kind.plural,
    list: async (signal) => (await client.list(kind, { ...selection, signal })) as unknown as List<ApiObject>,
    watch: (watch) => client.watch(kind, { ...selection, ...watch }),
  }
}

/** What is followed: one list, and watches from its version on. */
export interface Source {
  /** For the log. */
  readonly name: string
  list(signal: AbortSignal): Promise<List<ApiObject>>
  watch(options: WatchOptions): Promise<void>
}

export interface Parts {
  readonly cache: Pick<ObjectCache, 'replace' | 'put' | 'remove'>
  readonly contact: () => void
  readonly markReady: () => void
  readonly clock: Clock
}

/** The list-and-watch loop: until `signal` fires, whatever the server does. */
export function createFollower(
  source: Source,
  options: Pick<InformerOptions<Kind>, 'log' | 'backoff' | 'silenceMs'>,
  { cache, contact, markReady, clock }: Parts,
) {
  const backoff = createBackoff(options.backoff ?? BACKOFF)
  let version: string | undefined

  const relist = async (signal: AbortSignal): Promise<string> => {
    const { items, metadata } = await source.list(signal)
    contact()
    cache.replace(items)
    markReady()
    return metadata.resourceVersion
  }
  const onEvent = ({ type, object }: WatchEvent): void => {
    backoff.reset()
    version = object.metadata.resourceVersion
    if (type === 'DELETED') cache.remove(object)
    else if (type !== 'BOOKMARK') cache.put(object)
    contact()
  }
  const followOnce = async (signal: AbortSignal): Promise<void> => {
    version ??= await relist(signal)
    const startedMs = clock.monotonicMs()
    const silence = options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }
    try {
      await source.watch({ ...silence, resourceVersion: version, onEvent, onOpen: contact, signal })
    } finally {
      if (clock.monotonicMs() - startedMs > STEADY_MS) backoff.reset()
    }
  }
  return async (signal: AbortSignal): Promise<void> => {
    do {
      try {
        await followOnce(signal)
      } catch (error) {
        if (signal.aborted) return
        if (cannotResume(error)) version = undefined
        options.log.debug({ kind: source.name, err: error }, 'watch ended')
      }
    } while (await sleep(clock, backoff.nextMs(), signal))
  }
}

function selectionOf({ namespace, fieldSelector, labelSelector }: ListOptions): ListOptions {
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  }
}

/** The server will never serve this version again (410, or one it does not know): list anew. Else the version is kept. */
function cannotResume(error: unknown): boolean {
  return isApiError(error) && !isApiError(error, 401, 403, 429, 500, 502, 503)
}
