/**
 * The store of many machines: an etcd v3 cluster (3.4 or newer), shared by any number of servers.
 *
 *     txn ──► etcd ──► live watch ──► hub ──► watchers        get, list ──► etcd, linearizable
 *     watch from the past ──► etcd's history, then hub        readRevision ──► one read of the head, then live watch
 *
 * A link that breaks is made anew at the next endpoint; reads and guarded writes are asked again there, watches go on
 * where they were. What etcd refuses (no space, too large, no leader) is an error that says what to do.
 */
import type { Logger } from 'pino'
import { HISTORY_NEVER_LATER_THAN_MS } from '../history-policy.ts'
import { type SnapshotContent, writeSnapshot } from '../snapshot/file.ts'
import { type CallOptions, type Revision, type Store, UnavailableError } from '../store.ts'
import { checkTransaction } from '../transaction.ts'
import { type Bounds, DEFAULT_BOUNDS, type WatchHub, watchHub } from '../watch-hub.ts'
import { abortable } from './abortable.ts'
import type { EtcdTls } from './endpoint.ts'
import { DEFAULT_TIMEOUTS, Endpoints, type Timeouts } from './endpoints.ts'
import { isCompacted } from './errors.ts'
import { type Housekeeping, housekeeping } from './housekeeping.ts'
import { watchIdentity } from './identity.ts'
import { type Layout, layoutBelow } from './layout.ts'
import { type Live, liveWatch } from './live.ts'
import { type Opened, openMeta, readHead } from './meta.ts'
import { watchFrom } from './past.ts'
import { checkNotBack, sharedRead } from './read-revision.ts'
import { EtcdReads } from './reads.ts'
import { Transactions } from './txn.ts'

export const DEFAULT_PREFIX = '/flotilla'

export interface EtcdOptions {
  /** `https://10.0.0.1:2379`, …; `http://` for tests and unix-local setups only. */
  readonly endpoints: readonly string[]
  readonly tls?: EtcdTls
  /** Is handed what takes the members' addresses whenever they have changed. */
  readonly follow?: (use: (urls: readonly string[]) => void) => void
  /** Everything lies below it. */
  readonly prefix?: string
  readonly timeouts?: Timeouts
  /** As of the embedded store. */
  readonly historyMaxChanges?: number
  readonly historyMaxAgeMs?: number
  readonly watchBounds?: Bounds
  readonly log?: Pick<Logger, 'info' | 'warn'>
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export interface EtcdStore extends Store {
  /** Name of this store, the same for all servers that share it, made when it was begun. */
  readonly clusterName: string
  /** Compacts now as it would do by itself within half a minute. */
  tidy(): Promise<void>
}

interface Parts {
  readonly endpoints: Endpoints
  readonly layout: Layout
  readonly opened: Opened
  readonly hub: WatchHub
  readonly live: Live
  readonly keeping: Housekeeping
  readonly compaction: Compaction
  readonly unwatchIdentity: () => void
  readonly now: () => number
}

/**
 * Opens the store below `prefix`, beginning it where there is none. Throws `UnavailableError`, with each endpoint's
 * reason, when none answers, and an error that says what to do when what is there cannot be used.
 */
export async function openEtcdStore(options: EtcdOptions): Promise<EtcdStore> {
  const { endpoints: urls, tls = {}, timeouts = DEFAULT_TIMEOUTS, log } = options
  const layout = layoutBelow(options.prefix ?? DEFAULT_PREFIX)
  const endpoints = new Endpoints({ urls, tls, timeouts, log })
  options.follow?.((now) => endpoints.update(now))
  try {
    const opened = await openMeta(endpoints, layout, (options.now ?? Date.now)())
    return storeOf(assemble(options, endpoints, layout, opened))
  } catch (error) {
    endpoints.close()
    throw error
  }
}

function assemble(options: EtcdOptions, endpoints: Endpoints, layout: Layout, opened: Opened): Parts {
  const { log, now = Date.now } = options
  const { counting, head, begin } = opened
  const hub = watchHub(options.watchBounds ?? DEFAULT_BOUNDS)
  const compaction = compactionOf(endpoints, opened, () => live.revision)
  const policy = {
    historyMaxChanges: options.historyMaxChanges ?? 100_000,
    historyMaxAgeMs: Math.min(options.historyMaxAgeMs ?? 300_000, HISTORY_NEVER_LATER_THAN_MS),
  }
  const revision = () => live.revision
  const { compact, compacted } = compaction
  const keeping = housekeeping({ policy, log, now, revision, compacted, compact })
  keeping.note(head, begin > counting.seam(head.revision) ? begin : counting.seam(head.revision))
  const live = liveWatch({ endpoints, layout, counting, hub, log, onHead: keeping.note }, head)
  const unwatchIdentity = watchIdentity({ endpoints, layout, opened, hub, revision })
  return { endpoints, layout, opened, hub, live, keeping, compaction, unwatchIdentity, now }
}

interface Compaction {
  compacted(): Revision
  compact(before: Revision, options?: CallOptions): Promise<void>
}

function compactionOf(endpoints: Endpoints, { counting, begin }: Opened, newest: () => Revision): Compaction {
  let compacted = begin
  async function compact(before: Revision, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    const target = before < newest() ? before : newest()
    if (target <= compacted) return
    const request = { revision: String(counting.etcd(target)) }
    await endpoints.call('KV.Compact', request, { repeatable: true, signal }).catch((error: unknown) => {
      // Somebody was faster, or went further: either way what was to go is gone.
      if (!isCompacted(error)) throw error
    })
    if (target > compacted) compacted = target
  }
  return { compact, compacted: () => compacted }
}

function storeOf(parts: Parts): EtcdStore {
  const { endpoints, layout, opened, hub, live, keeping, compaction, now } = parts
  const { counting, clusterName, begin } = opened
  const span = () => ({ compacted: compaction.compacted(), revision: live.revision })
  const reads = new EtcdReads({ endpoints, layout, counting, span })
  const writes = new Transactions({ endpoints, layout, counting, begin, live, now })
  const newest = sharedRead(async () => counting.seam((await readHead(endpoints, layout)).revision))
  let closing: Promise<void> | undefined

  async function close(): Promise<void> {
    keeping.stop()
    parts.unwatchIdentity()
    hub.close(new UnavailableError('the store is closed'))
    endpoints.close()
    await live.close()
  }
  return {
    clusterName,
    get revision() {
      return live.revision
    },
    get: (key, options) => reads.get(key, options),
    list: (range, options) => reads.list(range, options),
    async readRevision({ signal } = {}) {
      signal?.throwIfAborted()
      const known = live.revision
      const revision = checkNotBack(await abortable(newest(), signal), known)
      await live.reached(revision, signal)
      return revision
    },
    async txn(transaction, options) {
      checkTransaction(transaction)
      return writes.txn(transaction, options)
    },
    watch: (range, options) => watchFrom({ endpoints, layout, counting, hub, live, span }, range, options),
    compact: compaction.compact,
    everything: ({ signal } = {}) => everything(reads, newest, clusterName, signal),
    snapshot: async (file, options = {}) =>
      writeSnapshot(file, await everything(reads, newest, clusterName, options.signal), options),
    tidy: keeping.tidy,
    [Symbol.asyncDispose]: () => {
      closing ??= close()
      return closing
    },
  }
}

async function everything(
  reads: EtcdReads,
  newest: () => Promise<Revision>,
  store: string,
  signal: AbortSignal | undefined,
): Promise<SnapshotContent> {
  const revision = await abortable(newest(), signal)
  return { revision, store, keys: await reads.count(revision, signal), items: reads.everything(revision, signal) }
}
