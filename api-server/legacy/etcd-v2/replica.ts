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
import {
  CHECKPOINT_KEY,
  decodeCheckpoint,
  decodeHead,
  decodeLog,
  EVERYTHING,
  FRESH,
  type Head,
  INDEX_KEY,
  LOG,
  type LogRecord,
} from './records.ts'
import { Ring } from './ring.ts'
import { isBelow, Tree } from './tree.ts'
import { createWaits, type Waits } from './waits.ts'
import { WatcherHub } from './watcher-hub.ts'

const MAX_HELD = 100

/** Where `/v2/checkpoint` stands, as far as this server knows. */
export interface Checkpoint {
  readonly index: number
  readonly revision: Revision
}

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
  /** Keys whose nodes in the store lag behind, and the index of their last change. */
  readonly dirty = new Map<string, number>()
  #tree = new Tree()
  #expiries = new ExpiryHeap()
  #head = FRESH
  checkpoint: Checkpoint = { index: FRESH.index, revision: 0n }
  #indexRevision: Revision = 0n
  #applied: Revision = 0n
  /** Told of all that changes the tree, once it has. */
  onApplied: ((entries: readonly Entry[] | 'everything') => void) | undefined
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

  /** Everything up to this revision is in the tree. */
  get applied(): Revision {
    return this.#applied
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
    this.dirty.clear()
    for (const key of loaded.orphans) this.dirty.set(key, 0)
    for (const node of loaded.nodes) this.#put(node)
    for (const record of loaded.records) this.#replay(record, loaded.checkpoint.index)
    this.#head = loaded.head
    this.#indexRevision = loaded.indexRevision
    this.#applied = loaded.revision
    this.checkpoint = loaded.checkpoint
    this.hub.endAll()
    this.#waits.reached(this.#indexRevision)
    this.onApplied?.('everything')
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
    this.#putAll(puts, head.index)
    this.#waits.reached(revision)
    this.onApplied?.(entries)
  }

  /** `fresh`: keys of the same transaction's earlier events, whose nodes the tree was never given. */
  #happened(entry: Entry, fresh: readonly string[]): void {
    this.ring.push(entry)
    if (!isRemoval(entry)) {
      this.hub.notify(entry, [])
      return
    }
    const gone = this.#cut(entry)
    const passing = fresh.filter((key) => isBelow(key, entry.key) && !gone.includes(key))
    this.hub.notify(entry, passing.length > 0 || gone.length === 0 ? [...passing, ...gone, entry.key] : gone)
  }

  #cut({ key, index }: Entry): string[] {
    const gone = this.#tree.cut(key)
    for (const each of gone) this.dirty.set(each, index)
    return gone
  }

  /** What a record did after the nodes in the store were last brought up to date; all of it is history. */
  #replay({ entries, puts }: LogRecord, checkpoint: number): void {
    const last = entries.at(-1)?.index ?? 0
    for (const entry of entries) {
      this.ring.push(entry)
      if (last > checkpoint && isRemoval(entry)) this.#cut(entry)
    }
    if (last > checkpoint) this.#putAll(puts, last)
  }

  /** Directories before what is in them. */
  #putAll(puts: readonly Node[], index: number): void {
    for (const node of puts.toSorted((a, b) => a.key.length - b.key.length)) {
      this.#put(node)
      this.dirty.set(node.key, index)
    }
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
    const put = (key: string) => events.find(({ kv, type }) => type === 'put' && kv.key === key)?.kv
    const checkpoint = put(CHECKPOINT_KEY)
    if (checkpoint) this.checkpointIs({ index: decodeCheckpoint(checkpoint.value), revision })
    const index = put(INDEX_KEY)
    if (index === undefined) return // nodes brought up to date, or the log trimmed
    const records = events.filter(({ kv, type }) => type === 'put' && kv.key.startsWith(LOG.start))
    const decoded = records.map(({ kv }) => decodeLog(kv.value))
    const entries = decoded.flatMap((record) => record.entries)
    this.apply({ head: decodeHead(index.value), revision, entries, puts: decoded.flatMap((record) => record.puts) })
  }

  /** Whoever brought the nodes up to date: what changed no later need not be written again. */
  checkpointIs(checkpoint: Checkpoint): void {
    if (checkpoint.revision <= this.checkpoint.revision) return
    this.checkpoint = checkpoint
    for (const [key, index] of this.dirty) if (index <= checkpoint.index) this.dirty.delete(key)
  }
}
