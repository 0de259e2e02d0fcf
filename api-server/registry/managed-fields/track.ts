/**
 * Where the write path meets ownership: what `metadata.managedFields` says after a write. The list is taken out of an
 * object while it is checked and compared, because it is the server's own and often larger than the rest.
 */
import type { ApiObject, Kind, Metadata } from '../../../crds/kind.ts'
import { timestamp } from '../prepare.ts'
import { sameJson } from './compare.ts'
import { type Entry, givenEntries, type Owner, storedEntries } from './entries.ts'
import { objectType } from './schema.ts'
import { entriesAfterUpdate } from './update.ts'

/** A write whose result is known: what became of the object, both states without managedFields. */
export interface Write {
  readonly kind: Kind
  /** Undefined: the object is being made. */
  readonly before: ApiObject | undefined
  readonly after: ApiObject
  /** managedFields of the object before. */
  readonly held: unknown
  /** managedFields as the write has them. */
  readonly given: unknown
  readonly now: Date
}

/** Who manages what after a write. Throws 400 or 422 for managedFields that no client may write. */
export type Ownership = (write: Write) => readonly Entry[]

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
    const stored = storedEntries(held)
    const entries = writer.subresource === undefined ? givenEntries(given, stored) : stored
    const owner = ownerOf(kind, 'Update', writer)
    return entriesAfterUpdate({ type: objectType(kind), before, after, entries, owner, time: timestamp(now) })
  }
}

/** What the server does on its own account. */
const BY_SERVER = updatedBy({ manager: 'flotilla-server' })

/** An apply works ownership out together with the object. */
export const AS_APPLIED: Ownership = ({ given }) => storedEntries(given)

/** Takes the list out of the metadata and returns it. */
export function takeManagedFields(metadata: Metadata): unknown {
  const { managedFields } = metadata
  delete metadata.managedFields
  return managedFields
}

/** Enters in `after` who manages what now, last in its metadata. True when that is what `held` says, but for its times. */
export function recordOwnership(ownership: Ownership = BY_SERVER, write: Write): boolean {
  const entries = ownership(write)
  if (entries.length > 0) write.after.metadata.managedFields = entries as Entry[]
  return sameOwnership(storedEntries(write.held), entries)
}

function sameOwnership(held: readonly Entry[], entries: readonly Entry[]): boolean {
  return (
    held === entries || (held.length === entries.length && held.every((entry, at) => sameEntry(entry, entries[at])))
  )
}

function sameEntry(a: Entry, b: Entry | undefined): boolean {
  return a === b || (b !== undefined && sameJson({ ...a, time: '' }, { ...b, time: '' }))
}
