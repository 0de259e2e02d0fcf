/** Watches: history first, then live, with no gap and no repeat in between. */
import type { Kind } from '../../crds/kind.ts'
import { CompactedError, type Event, prefixRange } from '../store/store.ts'
import { Change, eventLine, type Format } from './change.ts'
import { kindPrefix } from './encode.ts'
import { compileFilter, type Entry, type Filter } from './entry.ts'
import { expired } from './errors.ts'
import type { KindCache } from './kind-cache.ts'
import type { Registry } from './registry.ts'

export interface WatchOptions extends Filter {
  /** Changes after this version; undefined: everything there is as ADDED, then changes. */
  readonly after: bigint | undefined
  readonly format: Format
}

export interface Subscription {
  /** Lines to send before anything live. */
  readonly initial: readonly Buffer[]
  /** Version that `initial` brings the watcher to. */
  readonly version: bigint
  cancel(): void
}

/** A watcher this far behind lists anew: that is cheaper for both sides. */
const MAX_BACKLOG_BYTES = 64 * 1024 * 1024

/**
 * Starts a watch; `send` gets every later line, synchronously and in order. Throws 410 Expired when the history does
 * not reach back to `after`.
 */
export async function watch(
  registry: Registry,
  kind: Kind,
  options: WatchOptions,
  send: (line: Buffer, version: bigint) => void,
): Promise<Subscription> {
  const cache = registry.feed.cache(kind)
  const filter = compileFilter(kind, options)
  const backlog =
    options.after === undefined ? undefined : await readBacklog(registry, cache, options, options.after, filter)
  // From here on nothing is awaited: what is collected and what comes live meet exactly.
  const initial =
    backlog === undefined
      ? everything(cache, options, filter)
      : [...backlog.lines, ...linesOf(cache.since(backlog.upTo) ?? [], options, filter)]
  const version = registry.feed.revision
  const floor = options.after !== undefined && options.after > version ? options.after : version
  const deliver = (change: Change): void => {
    const line = change.version > floor ? change.lineFor(filter, options.format) : undefined
    if (line) send(line, change.version)
  }
  return { initial, version, cancel: cache.watchers.add({ deliver }, options.fields) }
}

type Test = ((entry: Entry) => boolean) | undefined

function everything(cache: KindCache, { namespace, format }: WatchOptions, filter: Test): Buffer[] {
  const lines: Buffer[] = []
  for (const entry of cache.entries.from('', namespace === undefined ? '' : `${namespace}/`))
    if (filter === undefined || filter(entry)) lines.push(eventLine('ADDED', entry, format))
  return lines
}

function linesOf(changes: readonly Change[], { format }: WatchOptions, filter: Test): Buffer[] {
  return changes.flatMap((change) => change.lineFor(filter, format) ?? [])
}

/** What lies before the cache's ring comes from the store's own history, up to where the ring begins. */
async function readBacklog(
  registry: Registry,
  cache: KindCache,
  options: WatchOptions,
  after: bigint,
  filter: Test,
): Promise<{ lines: Buffer[]; upTo: bigint }> {
  const lines: Buffer[] = []
  let bytes = 0
  let upTo = after
  while (cache.since(upTo) === undefined) {
    const until = cache.oldestVersion
    for await (const changes of history(registry, cache, upTo, until))
      for (const line of linesOf(changes, options, filter)) {
        bytes += line.length
        lines.push(line)
        if (bytes > MAX_BACKLOG_BYTES) throw tooOld(after, registry.feed.revision)
      }
    upTo = until
  }
  return { lines, upTo }
}

export function tooOld(asked: bigint, current: bigint): ReturnType<typeof expired> {
  return expired(`too old resource version: ${asked} (${current})`)
}

async function* history(
  { store, feed }: Registry,
  cache: KindCache,
  after: bigint,
  until: bigint,
): AsyncGenerator<Change[]> {
  const prefix = kindPrefix(cache.kind)
  const stop = new AbortController()
  try {
    for await (const batch of store.watch(prefixRange(prefix), { after, until, signal: stop.signal }))
      yield batch.map((event) => changeOf(cache, event, prefix))
  } catch (error) {
    throw error instanceof CompactedError ? tooOld(after, feed.revision) : error
  } finally {
    stop.abort()
  }
}

function changeOf(cache: KindCache, { type, kv, previous }: Event, prefix: string): Change {
  const key = kv.key.slice(prefix.length)
  const before = previous && cache.entry(key, previous.value, previous.modified)
  const entry = type === 'put' ? cache.entry(key, kv.value, kv.modified) : undefined
  return new Change(kv.modified, entry, before, before && cache.tombstone(before, kv.modified))
}
