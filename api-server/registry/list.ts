/** Lists: from the cache, page by page, every page as of the first one's resourceVersion. */
import type { Kind } from '../../crds/kind.ts'
import { CompactedError, type KeyValue } from '../store/store.ts'
import { kindPrefix } from './encode.ts'
import { compileFilter, type Entry, type Filter } from './entry.ts'
import { badRequest, expired, tooLargeVersion } from './errors.ts'
import type { Registry } from './registry.ts'

export interface ListOptions extends Filter {
  readonly limit?: number | undefined
  readonly continueToken?: string | undefined
  /** The list must be at least (or, with `exact`, precisely) this new. */
  readonly version?: bigint | undefined
  readonly exact?: boolean | undefined
}

export interface List {
  readonly version: bigint
  readonly entries: Iterable<Entry>
  readonly continueToken?: string
  readonly remaining?: number
}

const FUTURE_WAIT_MS = 3_000
const STORE_PAGE = 1_000

interface Token {
  readonly v: 'flotilla.dev/v1'
  readonly rv: string
  readonly start: string
}

export async function list(registry: Registry, kind: Kind, options: ListOptions): Promise<List> {
  const token = options.continueToken ? decodeToken(options.continueToken) : undefined
  if (options.version !== undefined) await waitUntil(registry, options.version)
  const version = token ? BigInt(token.rv) : options.exact ? options.version : undefined
  const cache = registry.feed.cache(kind)
  // Nothing of this kind has changed since: the cache itself is the state at that version.
  const fromCache = version === undefined || cache.since(version)?.length === 0
  const entries = fromCache
    ? current(registry, kind, options, token?.start)
    : await past(registry, kind, options, version, token?.start)
  return page(entries, version ?? registry.feed.revision, options, fromCache ? cache.entries.size : undefined)
}

function current(registry: Registry, kind: Kind, options: ListOptions, start = ''): Iterable<Entry> {
  const filter = compileFilter(kind, options)
  const entries = registry.feed.cache(kind).entries.from(start, namespacePrefix(options))
  return filter ? select(entries, filter) : entries
}

async function past(
  registry: Registry,
  kind: Kind,
  options: ListOptions,
  version: bigint,
  start = '',
): Promise<Entry[]> {
  const filter = compileFilter(kind, options)
  const cache = registry.feed.cache(kind)
  const prefix = kindPrefix(kind)
  const items = await historic(registry, prefix, prefix + (start || namespacePrefix(options)), version)
  return items
    .map(({ key, value, modified }) => cache.entry(key.slice(prefix.length), value, modified))
    .filter((entry) => filter?.(entry) ?? true)
}

async function historic({ store }: Registry, prefix: string, start: string, at: bigint): Promise<KeyValue[]> {
  const items: KeyValue[] = []
  const end = `${prefix.slice(0, -1)}0`
  for (let from = start; ; ) {
    const found = await store.list({ start: from, end }, { at, limit: STORE_PAGE }).catch(refuseCompacted)
    items.push(...found.items)
    const last = found.items.at(-1)
    if (!found.more || last === undefined) return items
    from = `${last.key}\0`
  }
}

function refuseCompacted(error: unknown): never {
  if (!(error instanceof CompactedError)) throw error
  throw expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
  )
}

function page(entries: Iterable<Entry>, version: bigint, options: ListOptions, size: number | undefined): List {
  if (!options.limit) return { version, entries }
  const taken: Entry[] = []
  let more: Entry | undefined
  for (const entry of entries) {
    if (taken.length === options.limit) {
      more = entry
      break
    }
    taken.push(entry)
  }
  if (more === undefined) return { version, entries: taken }
  const continueToken = encodeToken({ v: 'flotilla.dev/v1', rv: String(version), start: more.key })
  const unfiltered = !options.labels?.length && !options.fields?.length && !options.namespace && !options.continueToken
  return {
    version,
    entries: taken,
    continueToken,
    ...(unfiltered && size !== undefined && { remaining: size - taken.length }),
  }
}

function namespacePrefix({ namespace }: Filter): string {
  return namespace === undefined ? '' : `${namespace}/`
}

function* select(entries: Iterable<Entry>, filter: (entry: Entry) => boolean): Generator<Entry> {
  for (const entry of entries) if (filter(entry)) yield entry
}

/** A version from another server of the same store may be a moment ahead of this one. */
export async function waitUntil({ feed }: Registry, version: bigint): Promise<void> {
  if (version <= feed.revision) return
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), FUTURE_WAIT_MS)
  })
  const outcome = await Promise.race([feed.reached(version), late])
  clearTimeout(timer)
  if (outcome === 'late') throw tooLargeVersion(version, feed.revision)
}

function encodeToken(token: Token): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url')
}

function decodeToken(text: string): Token {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString()) as Token
    if (token.v === 'flotilla.dev/v1' && /^\d{1,19}$/.test(token.rv) && typeof token.start === 'string') return token
  } catch {
    // Falls through: whatever is wrong with a token, its owner can only start over.
  }
  throw badRequest('continue key is not valid: start a new list without it')
}
