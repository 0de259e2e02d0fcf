/**
 * Where the write path meets ownership: what `metadata.managedFields` says after a write. The list is taken out of an
 * object while it is checked and compared, because it is the server's own and often larger than the rest.
 */
import type { ApiObject, Kind, Metadata } from '../../../crds/kind.ts'
import { timestamp } from '../prepare.ts'
import { compare, isNothing, sameJson } from './compare.ts'
import { type Entry, givenEntries, type Owner, storedEntries } from './entries.ts'
import { objectType } from './schema.ts'
import { entriesAfterUpdate } from './update.ts'

/** A write whose result is known: what became of the object, both states without managedFields. */
export interface Write {
  readonly kind: Kind
  /** Undefined: the object is being made. */
  readonly before: ApiObject | undefined
  readonly after: ApiObject
  /** managedFields of the object before; asked for only where they matter. */
  readonly held: () => unknown
  /** managedFields as the write has them. */
  readonly given: unknown
  readonly now: Date
}

/**
 * Who manages what after a write; undefined: whoever did before. Throws 400 or 422 for managedFields that no client may
 * write.
 */
export type Ownership = (write: Write) => readonly Entry[] | undefined

/** Who writes, and through which subresource, if any. */
export interface Writer {
  /** fieldManager, or what stands before the slash of the User-Agent. */
  readonly manager: string
  readonly subresource?: string | undefined
}

export function ownerOf(kind: Kind, operation: Owner['operation'], { manager, subresource }: Writer): Owner {
  return { manager, operation, apiVersion: kind.apiVersion, ...(subresource && { subresource }) }
}

/** The ownership of a create, an update, and any patch but apply. Through a subresource nobody writes the list itself. */
export function updatedBy(writer: Writer): Ownership {
  return ({ kind, before, after, held, given, now }) => {
    const change = compare(objectType(kind), before, after)
    const said = writer.subresource === undefined ? given : undefined
    if (isNothing(change) && (said === undefined || said === null)) return undefined
    const entries = givenEntries(said, storedEntries(held()))
    const owner = ownerOf(kind, 'Update', writer)
    return entriesAfterUpdate({ change, isNew: before === undefined, entries, owner, time: timestamp(now) })
  }
}

/** What the server does on its own account. */
const BY_SERVER = updatedBy({ manager: 'flotilla-server' })

/** An apply works ownership out together with the object. */
export const AS_APPLIED: Ownership = ({ given }) => storedEntries(given)

/** Takes the list out of the metadata and returns it, where it has been looked at. */
export function takeManagedFields(metadata: Metadata): unknown {
  const given = Object.keys(metadata).includes('managedFields') ? metadata.managedFields : undefined
  delete metadata.managedFields
  return given
}

/**
 * Enters in `after` who manages what now. True when the write is none: the object `isSame` and so is ownership, but for
 * its times.
 */
export function recordOwnership(ownership: Ownership = BY_SERVER, write: Write, isSame: boolean): boolean {
  const held = once(() => storedEntries(write.held()))
  const entries = ownership({ ...write, held })
  if (isSame && (entries === undefined || sameOwnership(held(), entries))) return true
  const list = entries ?? held()
  if (list.length > 0) write.after.metadata.managedFields = list as Entry[]
  return false
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function sameOwnership(held: readonly Entry[], entries: readonly Entry[]): boolean {
  return (
    held === entries || (held.length === entries.length && held.every((entry, at) => sameEntry(entry, entries[at])))
  )
}

function sameEntry(a: Entry, b: Entry | undefined): boolean {
  return a === b || (b !== undefined && sameJson({ ...a, time: '' }, { ...b, time: '' }))
}
