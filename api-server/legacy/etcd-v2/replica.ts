/**
 * This server's copy of what the store holds: the tree, the newest events, and who waits for the next. It is loaded
 * once, then fed by the store's watch, and by this server's own commits the moment they are durable; whichever comes
 * first counts. Every change puts `/v2/index`, and whoever writes compares it, so changes have one order everywhere.
 */
import type { Logger } from 'pino'
import { CompactedError, type Event, type Revision, SlowWatcherError, type Store } from '../../store/store.ts'
import { type Entry, isRemoval } from './event.ts'
import { ExpiryHeap } from './expiry-heap.ts'
import { loadReplica } from './load.ts'
import type { Node } from './node.ts'
import { decodeHead, decodeLog, decodeNode, EVERYTHING, FRESH, type Head, INDEX_KEY } from './records.ts'
import { Ring } from './ring.ts'
import { isBelow, Tree } from './tree.ts'
import { createWaits, type Waits } from './waits.ts'
import { WatcherHub } from './watcher-hub.ts'

const MAX_HELD = 100

export interface Commit {
  readonly head: Head
  readonly revision: Revision
  readonly entries: readonly Entry[]
  readonly puts: readonly Node[]
}

export class Replica {
  readonly hub = new WatcherHub()
  readonly ring = new Ring()
  readonly #store: Store
  readonly #log: Logger
  readonly #waits: Waits = createWaits()
  /** Keys whose records a removed directory has left behind. */
  readonly orphans = new Set<string>()
  #tree = new Tree()
  #expiries = new ExpiryHeap()
  #head = FRESH
  #indexRevision: Revision = 0n
  #applied: Revision = 0n
  /** News that came while a commit of this server's was on its way: most likely they are that commit. */
  #held: (readonly Event[])[] | undefined

  constructor(store: Store, log: Logger) {
    this.#store = store
    this.#log = log
  }

  get tree(): Tree {
    return this.#tree
  }

  get head(): Head {
    return this.#head
  }

  get expiries(): ExpiryHeap {
    return this.#expiries
  }

  /** Revision of `/v2/index` that the tree agrees with; 0 while nothing was ever written. */
  get indexRevision(): Revision {
    return this.#indexRevision
  }

  /** Everything as of one revision. Those who watched are let go: they ask again. */
  async load(signal: AbortSignal): Promise<void> {
    const loaded = await loadReplica(this.#store, signal)
    this.#tree = new Tree()
    this.#expiries = new ExpiryHeap()
    this.ring.clear()
    for (const node of loaded.nodes) this.#put(node)
    for (const entry of loaded.entries) this.ring.push(entry)
    for (const key of loaded.orphans) this.orphans.add(key)
    this.#head = loaded.head
    this.#indexRevision = loaded.indexRevision
    this.#applied = loaded.revision
    this.hub.endAll()
    this.#waits.reached(this.#indexRevision)
  }

  /** Applies what other servers write, until `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const events of this.#store.watch(EVERYTHING, { after: this.#applied, signal })) this.#hear(events)
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof CompactedError) await this.load(signal)
        else if (!(error instanceof SlowWatcherError)) throw error
        this.#log.warn({ err: error }, 'the etcd v2 tree had fallen behind and caught up')
      }
    }
  }

  /** Resolves when the tree has seen that revision of `/v2/index`; rejects after `timeoutMs`. */
  async caughtUpTo(revision: Revision, timeoutMs: number): Promise<void> {
    if (this.#indexRevision < revision) await this.#waits.until(revision, timeoutMs)
  }

  /** Until `commitEnded` the news are put by: one's own need not be decoded again. */
  commitBegins(): void {
    this.#held = []
  }

  commitEnded(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const events of held) this.#hear(events)
  }

  apply({ head, revision, entries, puts }: Commit): void {
    if (revision <= this.#indexRevision) return
    this.#head = head
    this.#indexRevision = revision
    this.#applied = revision
    const fresh = entries.some(({ tookDir }) => tookDir) ? entries.map(({ key }) => key) : []
    for (const [at, entry] of entries.entries()) this.#happened(entry, fresh.slice(0, at))
    for (const node of puts.toSorted((a, b) => a.key.length - b.key.length)) this.#put(node)
    this.#waits.reached(revision)
  }

  /** `fresh`: keys of the same transaction's earlier events, whose nodes the tree was never given. */
  #happened(entry: Entry, fresh: readonly string[]): void {
    this.ring.push(entry)
    if (!isRemoval(entry)) {
      this.hub.notify(entry, [])
      return
    }
    const gone = this.#tree.cut(entry.key)
    if (entry.tookDir) for (const key of gone) if (key !== entry.key) this.orphans.add(key)
    const passing = fresh.filter((key) => isBelow(key, entry.key) && !gone.includes(key))
    this.hub.notify(entry, passing.length > 0 || gone.length === 0 ? [...passing, ...gone, entry.key] : gone)
  }

  #put(node: Node): void {
    this.#tree.put(node)
    if (node.expires !== undefined) this.#expiries.push(node.expires, node.key)
  }

  /** Transactions come whole and in order, several at once perhaps: they are told apart by their revision. */
  #hear(events: readonly Event[]): void {
    if (this.#held && this.#held.length < MAX_HELD) {
      this.#held.push(events)
      return
    }
    const held = this.#held ?? []
    this.#held = undefined
    for (const earlier of held) this.#hear(earlier)
    let begin = 0
    for (let at = 1; at <= events.length; at += 1) {
      if (events[at]?.kv.modified === events[begin]?.kv.modified) continue
      this.#hearTransaction(events.slice(begin, at))
      begin = at
    }
  }

  #hearTransaction(events: readonly Event[]): void {
    const revision = events[0]?.kv.modified ?? 0n
    if (revision <= this.#applied) return
    this.#applied = revision
    const index = events.find(({ kv, type }) => kv.key === INDEX_KEY && type === 'put')
    if (index === undefined) return // leftovers swept, or the log trimmed
    const puts: Node[] = []
    const entries: Entry[] = []
    for (const { kv, type } of events) {
      if (type === 'put' && kv.key.startsWith('/v2/n/')) puts.push(decodeNode(kv.value))
      if (type === 'put' && kv.key.startsWith('/v2/log/')) entries.push(...decodeLog(kv.value).entries)
    }
    this.apply({ head: decodeHead(index.kv.value), revision, entries, puts })
  }
}
