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
  /** Called when the kind is no longer served: there will be nothing more to send. */
  readonly ended?: () => void
}

export interface Subscription {
  /** Lines to send before anything live; to be gone through once, as fast as the watcher takes them. */
  readonly initial: Iterable<Buffer>
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
  const filter = compileFilter(kind, options)
  const backlog = new Backlog(registry, { ...options, filter })
  let { after } = options
  // The last look and the subscription are one synchronous stretch: what is collected and what comes live meet exactly.
  let cache = registry.feed.cache(kind)
  while (after !== undefined && cache.since(after) === undefined) {
    after = await backlog.read(cache, after)
    cache = registry.feed.cache(kind) // where a definition has changed meanwhile, it is another one
  }
  const initial =
    after === undefined
      ? everything(cache, options, filter)
      : [...backlog.lines, ...linesOf(cache.since(after) ?? [], options.format, filter)]
  const reached = registry.feed.revision
  const version = options.after !== undefined && options.after > reached ? options.after : reached
  const deliver = (change: Change): void => {
    const line = change.version > version ? change.lineFor(filter, options.format) : undefined
    if (line) send(line, change.version)
  }
  const watcher = { deliver, end: () => options.ended?.() }
  return { initial, version, cancel: cache.watchers.add(watcher, options.fields) }
}

type Test = ((entry: Entry) => boolean) | undefined

/** The entries are taken now, their lines are rendered as they are asked for: all at once would hold up everybody. */
function everything(cache: KindCache, { namespace, format }: WatchOptions, filter: Test): Iterable<Buffer> {
  const entries = [...cache.entries.from('', namespace === undefined ? '' : `${namespace}/`)]
  return added(entries, format, filter)
}

function* added(entries: readonly Entry[], format: Format, filter: Test): Generator<Buffer> {
  for (const entry of entries) if (filter === undefined || filter(entry)) yield eventLine('ADDED', entry, format)
}

function linesOf(changes: readonly Change[], format: Format, filter: Test): Buffer[] {
  return changes.flatMap((change) => change.lineFor(filter, format) ?? [])
}

/** What lies before the cache's ring, from the store's own history. */
class Backlog {
  readonly lines: Buffer[] = []
  readonly #registry: Registry
  readonly #options: { readonly format: Format; readonly filter: Test }
  #bytes = 0

  constructor(registry: Registry, options: { readonly format: Format; readonly filter: Test }) {
    this.#registry = registry
    this.#options = options
  }

  /** Adds the changes after `after` up to where the ring of `cache` begins now, which is returned. */
  async read(cache: KindCache, after: bigint): Promise<bigint> {
    const until = cache.oldestVersion
    const { format, filter } = this.#options
    for await (const changes of history(this.#registry, cache, after, until))
      for (const line of linesOf(changes, format, filter)) {
        this.#bytes += line.length
        if (this.#bytes > MAX_BACKLOG_BYTES) throw tooOld(after, this.#registry.feed.revision)
        this.lines.push(line)
      }
    return until
  }
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
  return new Change(kv.modified, entry, before)
}
