/** Lists: from the cache, page by page, every page as of the first one's resourceVersion. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Kind } from '../../crds/kind.ts'
import { CompactedError, prefixRange } from '../store/store.ts'
import { kindPrefix } from './encode.ts'
import { compileFilter, type Entry, type Filter } from './entry.ts'
import { badRequest, expired, tooLargeVersion } from './errors.ts'
import type { KindCache } from './kind-cache.ts'
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
  /** A snapshot: writes that come while it is sent do not show in it. */
  readonly entries: readonly Entry[]
  readonly continueToken?: string
  readonly remaining?: number
}

const FUTURE_WAIT_MS = 3_000
/** Small enough that others' turns come soon: parsing is most of the work, and a page is one turn. */
const STORE_PAGE = 200

interface Token {
  readonly v: 'flotilla.dev/v1'
  readonly rv: string
  readonly start: string
}

export async function list(registry: Registry, kind: Kind, options: ListOptions): Promise<List> {
  const token = options.continueToken ? decodeToken(options.continueToken) : undefined
  if (options.version !== undefined) await waitUntil(registry, options.version)
  const version = token ? BigInt(token.rv) : options.exact ? options.version : undefined
  if (version !== undefined && version > registry.feed.revision) throw badToken()
  const cache = registry.feed.cache(kind)
  const query = { filter: compileFilter(kind, options), start: token?.start ?? '', prefix: namespacePrefix(options) }
  const wanted = options.limit ? options.limit + 1 : Number.POSITIVE_INFINITY
  // Nothing of this kind has changed since: the cache itself is the state at that version.
  if (version === undefined || cache.since(version)?.length === 0) {
    const newest = version ?? registry.feed.revision
    return page(take(cache.entries.from(query.start, query.prefix), query.filter, wanted), newest, options, cache)
  }
  return page(await past(registry, kind, query, { version, wanted }), version, options)
}

interface Query {
  readonly filter: ((entry: Entry) => boolean) | undefined
  /** First key, below the kind. */
  readonly start: string
  readonly prefix: string
}

function take(entries: Iterable<Entry>, filter: Query['filter'], wanted: number): Entry[] {
  const taken: Entry[] = []
  for (const entry of entries) {
    if (filter !== undefined && !filter(entry)) continue
    taken.push(entry)
    if (taken.length >= wanted) break
  }
  return taken
}

/** The state at an older version, read from the store's history page by page; others get their turn in between. */
async function past(
  { store, feed }: Registry,
  kind: Kind,
  { filter, start, prefix }: Query,
  { version, wanted }: { readonly version: bigint; readonly wanted: number },
): Promise<Entry[]> {
  const cache = feed.cache(kind)
  const root = kindPrefix(kind)
  const { end } = prefixRange(root + prefix)
  const taken: Entry[] = []
  for (let from = root + (start < prefix ? prefix : start); ; ) {
    const { items, more } = await store
      .list({ start: from, end }, { at: version, limit: STORE_PAGE })
      .catch(refuseCompacted)
    const entries = items.map(({ key, value, modified }) => cache.entry(key.slice(root.length), value, modified))
    taken.push(...take(entries, filter, wanted - taken.length))
    const last = items.at(-1)
    if (!more || last === undefined || taken.length >= wanted) return taken
    from = `${last.key}\0`
    await nextTurn()
  }
}

function refuseCompacted(error: unknown): never {
  if (!(error instanceof CompactedError)) throw error
  throw expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
  )
}

/** Cuts what was taken, which is one entry more than the limit if there is more. */
function page(taken: readonly Entry[], version: bigint, options: ListOptions, cache?: KindCache): List {
  const { limit, continueToken, namespace, labels, fields } = options
  const next = limit ? taken[limit] : undefined
  if (next === undefined) return { version, entries: taken }
  const entries = taken.slice(0, limit)
  // How many follow is known only where nothing was left out, and not counted for later pages.
  const countable = cache && !labels?.length && !fields?.length && !namespace && !continueToken
  return {
    version,
    entries,
    continueToken: encodeToken({ v: 'flotilla.dev/v1', rv: String(version), start: next.key }),
    ...(countable && { remaining: cache.entries.size - entries.length }),
  }
}

function namespacePrefix({ namespace }: Filter): string {
  return namespace === undefined ? '' : `${namespace}/`
}

/** A version from another server of the same store may be a moment ahead of this one. */
export async function waitUntil({ feed }: Registry, version: bigint): Promise<void> {
  if (!(await feed.reachedWithin(version, FUTURE_WAIT_MS))) throw tooLargeVersion(version, feed.revision)
}

function encodeToken(token: Token): string {
  return Buffer.from(JSON.stringify(token)).toString('base64url')
}

function decodeToken(text: string): Token {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString()) as Token
    const { v, rv, start } = token
    if (v === 'flotilla.dev/v1' && typeof rv === 'string' && /^\d{1,19}$/.test(rv) && typeof start === 'string')
      return token
  } catch {
    // Falls through: whatever is wrong with a token, its owner can only start over.
  }
  throw badToken()
}

const badToken = () => badRequest('continue key is not valid: start a new list without it')
