/**
 * An object's write for somebody else's transaction: admitted like any other, but handed back as operations and the
 * compares they stand under. Whoever loses such a compare prepares anew. Unlike a client's write it may change status and
 * the rest at once, since a legacy key can hold both.
 */
import { randomUUID } from 'node:crypto'
import type { ApiObject } from '../../crds/kind.ts'
import type { Compare, Operation } from '../store/store.ts'
import { definitionGuard } from './definition-guard.ts'
import { deleting, finalizersFor, graceOf, hasFinalizers } from './deletion.ts'
import { storeKey } from './encode.ts'
import { type Entry, managedAsIn, managedFieldsOf, objectOf } from './entry.ts'
import { type Ownership, recordOwnership } from './managed-fields/track.ts'
import { isNoOp, prepareCreate, prepareUpdate, settleGeneration } from './prepare.ts'
import type { Place, Registry } from './registry.ts'
import { admit } from './validate.ts'

export interface PreparedWrite {
  readonly compare: readonly Compare[]
  /** None where the write would change nothing. */
  readonly operations: readonly Operation[]
}

/** Makes the object or changes the one that is there. Throws a StatusError where it may not be stored like that. */
export function prepareWrite(registry: Registry, place: Place, next: ApiObject, ownership: Ownership): PreparedWrite {
  const entry = registry.find(place)
  return entry === undefined
    ? prepareNew(registry, place, next, ownership)
    : prepareChange(registry, place, entry, next, ownership)
}

function prepareNew(registry: Registry, place: Place, input: ApiObject, ownership: Ownership): PreparedWrite {
  const { kind } = place
  const now = new Date()
  const { status } = input
  prepareCreate(kind, input, { uid: randomUUID(), now })
  const { object } = admit(kind, { ...input, ...(status !== undefined && { status }) }, undefined, {})
  const write = { kind, before: undefined, after: object, held: () => undefined, given: undefined, now }
  recordOwnership(ownership, write, false)
  const also = definitionGuard(registry.feed, kind)
  return putting(registry, place, object, [{ key: keyOf(place), modified: 0n }, ...also])
}

function prepareChange(
  registry: Registry,
  place: Place,
  entry: Entry,
  next: ApiObject,
  ownership: Ownership,
): PreparedWrite {
  const { kind } = place
  const current = objectOf(entry)
  const { status } = next
  const { status: _kept, ...prepared } = prepareUpdate(kind, current, next, undefined)
  const { object } = admit(kind, { ...prepared, ...(status !== undefined && { status }) }, current, {})
  settleGeneration(kind, current, object)
  const compare = [{ key: keyOf(place), modified: entry.version }]
  const held = () => managedFieldsOf(entry)
  const write = { kind, before: current, after: object, held, given: undefined, now: new Date() }
  const isSame = recordOwnership(ownership, write, isNoOp(current, object))
  return isSame ? { compare, operations: [] } : putting(registry, place, object, compare)
}

/** Removes the object, or marks it as going where a finalizer or a grace period holds it. Throws 404. */
export function prepareDelete(registry: Registry, place: Place): PreparedWrite {
  const entry = registry.get(place)
  const object = objectOf(entry)
  const { kind } = place
  const compare = [{ key: keyOf(place), modified: entry.version }]
  const graceSeconds = graceOf(kind, object, undefined)
  const finalizers = finalizersFor(kind, object, undefined)
  const marked = deleting(kind, object, { graceSeconds, finalizers, now: new Date() })
  if (graceSeconds === 0 && !hasFinalizers(marked ?? object))
    return { compare, operations: [{ do: 'delete', key: keyOf(place) }] }
  return marked === undefined
    ? { compare, operations: [] }
    : putting(registry, place, managedAsIn(entry, marked), compare)
}

function putting(registry: Registry, place: Place, object: ApiObject, compare: readonly Compare[]): PreparedWrite {
  const value = registry.feed.cache(place.kind).encoding.encode(object)
  return { compare, operations: [{ do: 'put', key: keyOf(place), value }] }
}

function keyOf({ kind, namespace, name }: Place): string {
  return storeKey(kind, namespace, name)
}
