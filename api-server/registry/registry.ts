/**
 * The registry: every verb of the API on every kind, over one store. It knows nothing of HTTP and nothing of any
 * particular kind; what a kind wants is said in crds/.
 *
 * A write is: read the current object from the cache, work out the next one, check it, put it under a compare on the
 * revision it was worked out from, wait until the cache shows it. A lost compare works it out again, unless the caller
 * said which version they meant.
 */
import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { type Compare, MAX_OPERATIONS, type Operation, type Store } from '../store/store.ts'
import { definitionGuard } from './definition-guard.ts'
import {
  checkPreconditions,
  deleting,
  finalizersFor,
  graceOf,
  hasFinalizers,
  isDeleting,
  isFinished,
} from './deletion.ts'
import { storeKey } from './encode.ts'
import { changeableObjectOf, type Entry, managedAsIn, managedFieldsOf, objectOf } from './entry.ts'
import { alreadyExists, conflict, notFound, unavailable } from './errors.ts'
import type { Feed } from './feed.ts'
import { Freshness } from './freshness.ts'
import { recordOwnership, takeManagedFields } from './managed-fields/track.ts'
import { isNoOp, prepareCreate, prepareUpdate, type Subresource, settleGeneration } from './prepare.ts'
import type { DeleteOptions, Place, WriteOptions, Written } from './requests.ts'
import { Turns } from './turns.ts'
import { admit } from './validate.ts'
import { deleteThroughView, isView, refuseCreate, updateThroughView } from './view-writes.ts'

export type { DeleteOptions, Place, WriteOptions, Written } from './requests.ts'

/** How often a write without a version is worked out again before the caller is told that others are faster. */
const MAX_ATTEMPTS = 16

export class Registry {
  readonly feed: Feed
  readonly store: Store
  readonly fresh: Freshness
  readonly #turns = new Turns()

  constructor(store: Store, feed: Feed) {
    this.store = store
    this.feed = feed
    this.fresh = new Freshness(store, feed)
  }

  find({ kind, namespace, name }: Place): Entry | undefined {
    return this.feed.cache(kind).entries.get(`${namespace ?? '-'}/${name}`)
  }

  get(place: Place): Entry {
    const entry = this.find(place)
    if (entry === undefined) throw notFound(place.kind, place.name)
    return entry
  }

  async create(
    kind: Kind,
    namespace: string | undefined,
    input: ApiObject,
    options: WriteOptions = {},
  ): Promise<Written> {
    if (kind.view) refuseCreate(kind)
    const now = new Date()
    const given = takeManagedFields(input.metadata)
    prepareCreate(kind, input, { uid: randomUUID(), now })
    const { object, warnings } = admit(kind, input, undefined, options)
    options.guard?.(object, object)
    const place = { kind, namespace, name: object.metadata.name }
    if (this.find(place)) await this.fresh.ensure()
    const existing = this.find(place)
    if (existing) throw alreadyExists(kind, place.name, isDeleting(existing))
    recordOwnership(
      options.ownership,
      { kind, before: undefined, after: object, held: () => undefined, given, now },
      false,
    )
    const stored = this.feed.cache(kind).encoding.encode(object)
    if (options.dryRun) return { ...this.#shown(place, stored, undefined), warnings }
    return this.#inTurn(place, async () => {
      if (this.find(place)) throw alreadyExists(kind, place.name)
      const version = await this.#commit(place, stored, 0n, definitionGuard(this.feed, kind))
      return version === null ? undefined : { ...this.#written(place, stored, version), warnings }
    })
  }

  /** Writes what `change` makes of the current object. `change` may run several times and must not keep its argument. */
  async update(
    place: Place,
    change: (current: ApiObject) => ApiObject,
    subresource: Subresource,
    options: WriteOptions = {},
  ): Promise<Written> {
    if (isView(place)) return updateThroughView(this, place, change, options)
    return this.#inTurn(place, () => this.#tryUpdate(place, change, subresource, options))
  }

  /** Tries until `attempt` gives something; only another server can have been faster. */
  #inTurn(place: Place, attempt: () => Promise<Written | undefined>): Promise<Written> {
    const { kind, namespace, name } = place
    return this.#turns.take(storeKey(kind, namespace, name), async () => {
      for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
        const written = await this.fresh.retryIfBehind(attempt)
        if (written !== undefined) return written
      }
      throw conflict(kind, name)
    })
  }

  /** Undefined: somebody else was faster; the cache has their version now. */
  async #tryUpdate(
    place: Place,
    change: (current: ApiObject) => ApiObject,
    subresource: Subresource,
    options: WriteOptions,
  ): Promise<Written | undefined> {
    const { kind, name } = place
    const entry = this.get(place)
    const current = objectOf(entry)
    options.guard?.(current)
    const changed = change(changeableObjectOf(entry))
    const expected = changed.metadata.resourceVersion
    if (expected && expected !== String(entry.version)) throw conflict(kind, name)
    const given = takeManagedFields(changed.metadata)
    const prepared = prepareUpdate(kind, current, changed, subresource)
    const { object, warnings } = admit(kind, prepared, current, options)
    if (subresource === undefined) settleGeneration(kind, current, object)
    const write = { kind, before: current, after: object, held: () => managedFieldsOf(entry), given, now: new Date() }
    const isSame = recordOwnership(options.ownership, write, isNoOp(current, object))
    if (isSame) return { bytes: entry.bytes, name, warnings }
    options.guard?.(current, object)
    const stored = this.#encode(kind, object)
    if (isFinished(object)) {
      const gone = await this.#finish(place, entry, options.dryRun)
      return gone ? { ...this.#shown(place, stored, entry.version), warnings, gone } : undefined
    }
    if (options.dryRun) return { ...this.#shown(place, stored, entry.version), warnings }
    const version = await this.#commit(place, stored, entry.version)
    if (version !== null) return { ...this.#written(place, stored, version), warnings }
    if (expected) throw conflict(kind, name)
    return undefined
  }

  /** Deletes, or marks as deleting what something still holds. Deleting twice is not an error while it lasts. */
  async delete(place: Place, options: DeleteOptions = {}): Promise<Written> {
    if (isView(place)) return deleteThroughView(this, place, options)
    return this.#inTurn(place, async () => {
      const entry = this.get(place)
      const object = objectOf(entry)
      options.guard?.(object)
      checkPreconditions(place.kind, object, options.preconditions)
      const graceSeconds = graceOf(place.kind, object, options.graceSeconds)
      const finalizers = finalizersFor(place.kind, object, options.propagation)
      const marked = deleting(place.kind, object, { graceSeconds, finalizers, now: new Date() })
      return graceSeconds > 0 || hasFinalizers(marked ?? object)
        ? this.#markDeleted(place, entry, marked, options)
        : this.#remove(place, entry, options)
    })
  }

  async #remove(place: Place, entry: Entry, { dryRun }: DeleteOptions): Promise<Written | undefined> {
    const gone = await this.#finish(place, entry, dryRun)
    return gone ? { bytes: entry.bytes, name: place.name, warnings: [], gone: true } : undefined
  }

  /** `marked` is undefined when the object already says that it goes. */
  async #markDeleted(
    place: Place,
    entry: Entry,
    marked: ApiObject | undefined,
    { dryRun }: DeleteOptions,
  ): Promise<Written | undefined> {
    if (marked === undefined) return { bytes: entry.bytes, name: place.name, warnings: [] }
    const stored = this.#encode(place.kind, managedAsIn(entry, marked))
    const version = dryRun ? entry.version : await this.#commit(place, stored, entry.version)
    return version === null ? undefined : { ...this.#shown(place, stored, version), warnings: [] }
  }

  /** Removes the key; false when somebody changed the object meanwhile. */
  async #finish(place: Place, entry: Entry, dryRun: boolean | undefined): Promise<boolean> {
    if (dryRun) return true
    const key = storeKey(place.kind, place.namespace, place.name)
    return (await this.#txn([{ key, modified: entry.version }], [{ do: 'delete', key }])) !== null
  }

  #encode(kind: Kind, object: ApiObject): Buffer {
    return this.feed.cache(kind).encoding.encode(object)
  }

  /** What a writer is answered whose write is stored: mostly the very bytes that the cache now has. */
  #written(place: Place, stored: Buffer, version: bigint): { bytes: Buffer; name: string } {
    const entry = this.find(place)
    return entry?.version === version ? { bytes: entry.bytes, name: place.name } : this.#shown(place, stored, version)
  }

  /** `stored` as it would be answered; without a version when there is none yet. */
  #shown({ kind, name }: Place, stored: Buffer, version: bigint | undefined): { bytes: Buffer; name: string } {
    return {
      bytes: this.feed.cache(kind).encoding.render(stored, version),
      name,
    }
  }

  #commit(place: Place, value: Buffer, expected: bigint, also?: readonly Compare[]): Promise<bigint | null> {
    const key = storeKey(place.kind, place.namespace, place.name)
    return this.#txn([{ key, modified: expected }, ...(also ?? [])], [{ do: 'put', key, value }])
  }

  /** The new revision once the caches show it, or null, once they show why, when a compare is lost. */
  async #txn(compare: readonly Compare[], operations: readonly Operation[]): Promise<bigint | null> {
    if (operations.length > MAX_OPERATIONS)
      throw unavailable(`a write of ${operations.length} operations is more than one transaction holds`)
    const result = await this.store.txn({ compare, operations })
    const news = result.ok ? [result.revision] : result.current.flatMap((current) => current?.modified ?? [])
    for (const revision of news) await this.feed.reached(revision)
    // Deleted by somebody else: the feed hears of it within this turn.
    if (!result.ok && news.length < compare.length) await nextTurn()
    return result.ok ? result.revision : null
  }
}
