/** The store without a disk: for tests, and as the plainest statement of what the other backends do. */

import { type FollowOptions, follow, type History } from './follow.ts'
import { compareKeys, rangeTest } from './keys.ts'
import { checkReadable, mergePast, type Undo } from './past.ts'
import { type SnapshotContent, type SnapshotSummary, writeSnapshot } from './snapshot/file.ts'
import {
  type CallOptions,
  CompactedError,
  type Event,
  type GetResult,
  type KeyValue,
  type ListResult,
  prefixRange,
  type Range,
  type Revision,
  type Store,
  type Transaction,
  type TransactionResult,
  UnavailableError,
} from './store.ts'
import { type Change, changesOf, checkTransaction, comparesHold } from './transaction.ts'
import { type Bounds, DEFAULT_BOUNDS, type WatchHub, watchHub } from './watch-hub.ts'

export interface MemoryOptions {
  readonly watchBounds?: Bounds
  /** Changes kept for watches and reads of the past; older ones are forgotten. */
  readonly historyMaxChanges?: number
}

type ListOptions = CallOptions & { readonly at?: Revision; readonly limit?: number }

const PAGE_EVENTS = 1_000

function eventOf({ type, key, value, created, before }: Change<KeyValue>, revision: Revision): Event {
  return { type, kv: { key, value, created, modified: revision }, previous: before }
}

/** The present: a map for lookups and its keys in order for ranges. */
class Present {
  readonly #byKey = new Map<string, KeyValue>()
  readonly #keys: string[] = []

  get(key: string): KeyValue | undefined {
    return this.#byKey.get(key)
  }

  apply({ type, kv }: Event): void {
    if (type === 'delete') {
      this.#byKey.delete(kv.key)
      this.#keys.splice(this.#position(kv.key), 1)
      return
    }
    if (!this.#byKey.has(kv.key)) this.#keys.splice(this.#position(kv.key), 0, kv.key)
    this.#byKey.set(kv.key, kv)
  }

  /** At most `max` entries in key order. */
  entries({ start, end }: Range, max: number): (readonly [string, KeyValue])[] {
    const from = this.#position(start)
    const to = Math.max(from, Math.min(this.#position(end), from + max))
    return this.#keys.slice(from, to).map((key) => [key, this.#byKey.get(key) as KeyValue])
  }

  /** Index of the first key that does not sort before `key`. */
  #position(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareKeys(this.#keys[middle] ?? '', key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Every transaction since `compacted`; each revision has exactly one. */
class Log implements History {
  #transactions: (readonly Event[])[] = []
  #compacted: Revision = 0n

  get compacted(): Revision {
    return this.#compacted
  }

  get revision(): Revision {
    return this.#compacted + BigInt(this.#transactions.length)
  }

  get length(): number {
    return this.#transactions.length
  }

  append(events: readonly Event[]): void {
    this.#transactions.push(events)
  }

  forget(before: Revision): void {
    const target = before < this.revision ? before : this.revision
    if (target <= this.#compacted) return
    this.#transactions = this.#transactions.slice(Number(target - this.#compacted))
    this.#compacted = target
  }

  *after(revision: Revision): Generator<Event> {
    for (let i = Number(revision - this.#compacted); i < this.#transactions.length; i++)
      yield* this.#transactions[i] ?? []
  }

  eventsAfter(after: Revision, range: Range): { events: Event[]; through: Revision } {
    if (after < this.#compacted) throw new CompactedError(this.#compacted)
    const wants = rangeTest(range)
    const events: Event[] = []
    let through = after
    while (through < this.revision && events.length < PAGE_EVENTS) {
      const next = this.#transactions[Number(through - this.#compacted)] ?? []
      events.push(...next.filter(({ kv }) => wants(kv.key)))
      through += 1n
    }
    return { events, through }
  }
}

class MemoryStore implements Store {
  readonly #present = new Present()
  readonly #log = new Log()
  readonly #hub: WatchHub
  readonly #historyMaxChanges: number
  #closed = false

  constructor({ watchBounds = DEFAULT_BOUNDS, historyMaxChanges = 100_000 }: MemoryOptions) {
    this.#hub = watchHub(watchBounds)
    this.#historyMaxChanges = historyMaxChanges
  }

  get revision(): Revision {
    return this.#log.revision
  }

  async get(key: string, { at, signal }: CallOptions & { readonly at?: Revision } = {}): Promise<GetResult> {
    signal?.throwIfAborted()
    if (at === undefined) return { revision: this.revision, kv: this.#present.get(key) }
    const undo = this.#undoSince(at, (changed) => changed === key)
    return { revision: at, kv: undo.has(key) ? undo.get(key) : this.#present.get(key) }
  }

  async list(
    range: Range,
    { at = this.revision, limit = Number.POSITIVE_INFINITY, signal }: ListOptions = {},
  ): Promise<ListResult> {
    signal?.throwIfAborted()
    const undo = this.#undoSince(at, rangeTest(range))
    const entries = mergePast(this.#present.entries(range, limit + 1 + undo.size), undo)
    const items = entries.slice(0, limit).map(([, kv]) => kv)
    return { revision: at, items, more: entries.length > items.length }
  }

  async readRevision({ signal }: CallOptions = {}): Promise<Revision> {
    signal?.throwIfAborted()
    return this.revision
  }

  async txn(transaction: Transaction, { signal }: CallOptions = {}): Promise<TransactionResult> {
    signal?.throwIfAborted()
    checkTransaction(transaction)
    if (this.#closed) throw new UnavailableError('the store is closed')
    const read = (key: string) => this.#present.get(key)
    if (!comparesHold(transaction, read)) {
      return { ok: false, revision: this.revision, current: transaction.compare.map(({ key }) => read(key)) }
    }
    const revision = this.revision + 1n
    const changes = changesOf(transaction, revision, read)
    if (changes.length > 0) this.#commit(changes.map((change) => eventOf(change, revision)))
    return { ok: true, revision: this.revision }
  }

  watch(range: Range, options: FollowOptions): AsyncIterable<readonly Event[]> {
    return follow(this.#log, this.#hub, range, options)
  }

  async compact(before: Revision, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#log.forget(before)
  }

  async everything({ signal }: CallOptions = {}): Promise<SnapshotContent> {
    signal?.throwIfAborted()
    const items = this.#present.entries(prefixRange(''), Number.POSITIVE_INFINITY).map(([, kv]) => kv)
    return { revision: this.revision, keys: items.length, items }
  }

  async snapshot(file: string, options: CallOptions = {}): Promise<SnapshotSummary> {
    return writeSnapshot(file, await this.everything(), options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#hub.close(new UnavailableError('the store is closed'))
  }

  #commit(events: readonly Event[]): void {
    for (const event of events) this.#present.apply(event)
    this.#log.append(events)
    // Twice as many before half of them go: dropping one at each write would copy the log each time.
    if (this.#log.length > 2 * this.#historyMaxChanges)
      this.#log.forget(this.revision - BigInt(this.#historyMaxChanges))
    this.#hub.publish(events.map((event) => ({ key: event.kv.key, event: () => event })))
    this.#hub.deliver()
  }

  #undoSince(at: Revision, wants: (key: string) => boolean): Undo<KeyValue> {
    checkReadable(at, this.#log)
    const undo = new Map<string, KeyValue | undefined>()
    for (const { kv, previous } of this.#log.after(at)) {
      if (wants(kv.key) && !undo.has(kv.key)) undo.set(kv.key, previous)
    }
    return undo
  }
}

/** Opens an empty store that lives as long as the process. */
export function openMemoryStore(options: MemoryOptions = {}): Store {
  return new MemoryStore(options)
}
