/**
 * The watch cache of one kind: current entries in order, the recent changes, and who wants to hear of the next one.
 * Everything here is synchronous; the feed applies changes in revision order.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ApiObject, Kind, Structure, View } from '../../crds/kind.ts'
import { Change } from './change.ts'
import { encodingOf, managedFieldsIn, textWithoutManagedFields } from './encode.ts'
import { type Entry, entryMaker } from './entry.ts'
import { selectablePaths } from './selectors.ts'
import { SortedEntries } from './sorted-entries.ts'
import { WatcherIndex } from './watcher-index.ts'

const MAX_RING_BYTES = 16 * 1024 * 1024
const MAX_RING_CHANGES = 10_000

export class KindCache {
  readonly kind: Kind
  readonly entries = new SortedEntries()
  #watchers: WatcherIndex
  readonly encoding
  readonly #makeEntry
  #ring: Change[] = []
  #ringBytes = 0
  /** Every change after this version is in the ring. */
  #ringStart = 0n

  constructor(kind: Kind) {
    this.kind = kind
    this.encoding = encodingOf(kind.view?.of ?? kind)
    this.#makeEntry = entryMaker(kind)
    this.#watchers = new WatcherIndex(kind)
  }

  get watchers(): WatcherIndex {
    return this.#watchers
  }

  /**
   * This cache takes the place of `before`, with the same objects under a new definition. Whoever watched goes on here;
   * where other fields can be selected by they cannot, and are ended: they watch again from where they are.
   */
  succeeding(before: KindCache): this {
    if (isDeepStrictEqual(selectablePaths(before.kind), selectablePaths(this.kind))) this.#watchers = before.#watchers
    else before.#watchers.end()
    return this
  }

  /** Starts over from a list taken at `version`. */
  reset(version: bigint): void {
    this.#ring = []
    this.#ringBytes = 0
    this.#ringStart = version
  }

  /**
   * Takes over what `fresh` holds, the state at `version`, where the changes in between are lost. Clients' watches are
   * ended, since nobody could tell them what they missed: they list anew. The server's own parts, which only look at what
   * there is now, are told of each object that is other than it was.
   */
  renew(fresh: KindCache, version: bigint): void {
    this.#watchers.end()
    for (const previous of [...this.entries.from('')])
      if (fresh.entries.get(previous.key) === undefined) {
        this.entries.delete(previous.key)
        this.#watchers.deliver(new Change(version, undefined, previous))
      }
    for (const entry of fresh.entries.from('')) {
      const previous = this.entries.get(entry.key)
      if (previous?.version === entry.version) continue
      this.entries.set(entry)
      this.#watchers.deliver(new Change(entry.version, entry, previous))
    }
    this.reset(version)
  }

  load(key: string, stored: Uint8Array, version: bigint): void {
    this.entries.set(this.entry(key, stored, version))
  }

  entry(key: string, stored: Uint8Array, version: bigint): Entry {
    const bytes = this.encoding.render(stored, version)
    const { view, structure } = this.kind
    if (view) return this.#makeEntry(key, seenThrough(view, bytes), version)
    return this.#makeEntry(key, structure ? this.#asStructured(structure, bytes, version) : bytes, version)
  }

  /**
   * The object as its definition has it by now: what it no longer knows is left out, defaults that came later are there.
   */
  #asStructured(structure: Structure, bytes: Buffer, version: bigint): Buffer {
    const text = textWithoutManagedFields(bytes)
    const object = JSON.parse(text) as ApiObject
    structure.prune(object)
    structure.fillDefaults(object)
    if (JSON.stringify(object) === text) return bytes
    const managedFields = managedFieldsIn(bytes)
    if (managedFields !== undefined) object.metadata.managedFields = managedFields
    return this.encoding.render(this.encoding.encode(object), version)
  }

  put(key: string, stored: Uint8Array, version: bigint): void {
    const entry = this.entry(key, stored, version)
    const previous = this.entries.get(key)
    this.entries.set(entry)
    this.#publish(new Change(version, entry, previous))
  }

  remove(key: string, version: bigint): void {
    const previous = this.entries.get(key)
    if (previous === undefined) return
    this.entries.delete(key)
    this.#publish(new Change(version, undefined, previous))
  }

  /** Changes after `version`, oldest first; undefined when the ring does not reach back that far. */
  since(version: bigint): readonly Change[] | undefined {
    if (version < this.#ringStart) return undefined
    let first = this.#ring.length
    while (first > 0 && (this.#ring[first - 1]?.version ?? 0n) > version) first--
    return this.#ring.slice(first)
  }

  /** Changes up to this version are no longer in the ring. */
  get oldestVersion(): bigint {
    return this.#ringStart
  }

  #publish(change: Change): void {
    this.#ring.push(change)
    this.#ringBytes += change.sizeBytes
    if (this.#ringBytes > MAX_RING_BYTES || this.#ring.length > MAX_RING_CHANGES) this.#trim()
    this.#watchers.deliver(change)
  }

  /** Drops the older half at once, so that trimming costs nothing an event. */
  #trim(): void {
    const dropped = this.#ring.splice(0, this.#ring.length >> 1)
    for (const change of dropped) this.#ringBytes -= change.sizeBytes
    this.#ringStart = dropped.at(-1)?.version ?? this.#ringStart
  }
}

/** What a view makes of another kind's bytes: once a change, however many read it. Who manages them is told there. */
export function seenThrough(view: View, bytes: Buffer): Buffer {
  return Buffer.from(JSON.stringify(view.project(JSON.parse(textWithoutManagedFields(bytes)) as ApiObject)))
}
