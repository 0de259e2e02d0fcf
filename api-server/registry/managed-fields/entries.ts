/** The entries of `metadata.managedFields`: who manages what, and how clients may write them. */
import { badRequest, invalidRequest, type StatusError } from '../errors.ts'
import { sameJson } from './compare.ts'
import { EMPTY, type FieldSet, inOrder, isEmpty } from './field-set.ts'
import {
  type Budget,
  MAX_FIELDS,
  MalformedFieldsError,
  OversizedFieldsError,
  parseFieldSet,
} from './parse-field-set.ts'
import { isMap } from './schema.ts'

/** Who acts, and how: what tells entries apart. Applies count as one over all versions of a kind. */
export interface Owner {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource?: string
}

/** An entry as it is stored and shown, members in the order that Kubernetes gives them. */
export interface Entry extends Owner {
  /** When the manager last added, changed or removed a field; RFC 3339, whole seconds. */
  readonly time?: string
  readonly fieldsType: 'FieldsV1'
  readonly fieldsV1: FieldSet
}

export function isOwnedBy(entry: Owner, owner: Owner): boolean {
  return (
    entry.manager === owner.manager &&
    entry.operation === owner.operation &&
    (entry.operation === 'Apply' || entry.apiVersion === owner.apiVersion) &&
    (entry.subresource ?? '') === (owner.subresource ?? '')
  )
}

export function entryOf({ manager, operation, apiVersion, subresource }: Owner, time: string, fields: FieldSet): Entry {
  const fieldsV1 = inOrder(fields)
  return { manager, operation, apiVersion, time, fieldsType: 'FieldsV1', fieldsV1, ...(subresource && { subresource }) }
}

/** The entry with other fields: itself when they are the same, undefined when none are left. */
export function withFields(entry: Entry, fields: FieldSet): Entry | undefined {
  if (fields === entry.fieldsV1) return entry
  return isEmpty(fields) ? undefined : { ...entry, fieldsV1: inOrder(fields) }
}

/** Applies first, then by time, then by name. The same list when it is in order already. */
export function sortEntries(entries: readonly Entry[]): readonly Entry[] {
  const isSorted = entries.every((entry, at) => at === 0 || compareEntries(entries[at - 1] ?? entry, entry) <= 0)
  return isSorted ? entries : entries.toSorted(compareEntries)
}

function compareEntries(a: Entry, b: Entry): number {
  return (
    order(a.operation, b.operation) ||
    order(a.time ?? '', b.time ?? '') ||
    order(a.manager, b.manager) ||
    order(a.apiVersion, b.apiVersion) ||
    order(a.subresource ?? '', b.subresource ?? '')
  )
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}

/** Entries that were checked when they were stored. */
export function storedEntries(managedFields: unknown): readonly Entry[] {
  return Array.isArray(managedFields) ? (managedFields as Entry[]) : []
}

/** A list that is empty, or of one empty entry, says: forget who manages what. */
export function isReset(managedFields: unknown): boolean {
  if (!Array.isArray(managedFields)) return false
  const [first] = managedFields
  return managedFields.length === 0 || (managedFields.length === 1 && isMap(first) && Object.keys(first).length === 0)
}

const MAX_ENTRIES = 1_000

/**
 * What a write makes the entries to begin with: those that the client sent, where it sent any that can be read; else
 * those that are `stored`. Throws 400 for what has not the form of managedFields, 422 for what is too large.
 */
export function givenEntries(given: unknown, stored: readonly Entry[]): readonly Entry[] {
  if (given === undefined || given === null || sameJson(given, stored)) return stored
  if (!Array.isArray(given)) throw badRequest('metadata.managedFields must be a list')
  if (isReset(given)) return []
  if (given.length > MAX_ENTRIES) throw oversized(`must not have more than ${MAX_ENTRIES} entries`)
  const budget: Budget = { fields: MAX_FIELDS }
  try {
    return unique(given.map((entry) => parseEntry(entry, budget)))
  } catch (error) {
    if (error instanceof OversizedFieldsError) throw oversized(error.message)
    if (error instanceof MalformedFieldsError) return stored
    throw error
  }
}

function oversized(why: string): StatusError {
  const field = 'metadata.managedFields'
  const message = `Too long: ${why}`
  return invalidRequest(`${field}: ${message}`, [{ reason: 'FieldValueTooLong', message, field }])
}

function parseEntry(value: unknown, budget: Budget): Entry {
  if (!isMap(value)) throw badRequest('metadata.managedFields must be a list of objects')
  const [manager, apiVersion] = [text(value, 'manager'), text(value, 'apiVersion')]
  const [operation, fieldsType] = [text(value, 'operation'), text(value, 'fieldsType')]
  const [time, subresource] = [text(value, 'time'), text(value, 'subresource')]
  if (operation !== 'Apply' && operation !== 'Update')
    throw new MalformedFieldsError('operation must be Apply or Update')
  if (fieldsType !== 'FieldsV1') throw new MalformedFieldsError('fieldsType must be FieldsV1')
  if (time !== '' && Number.isNaN(Date.parse(time))) throw badRequest(`metadata.managedFields: ${time} is no time`)
  return {
    manager,
    operation,
    apiVersion,
    ...(time !== '' && { time: `${new Date(time).toISOString().slice(0, 19)}Z` }),
    fieldsType: 'FieldsV1',
    fieldsV1: inOrder(parseFieldSet(value.fieldsV1 ?? EMPTY, budget)),
    ...(subresource !== '' && { subresource }),
  }
}

function text(entry: Readonly<Record<string, unknown>>, field: string): string {
  const value = entry[field] ?? ''
  if (typeof value !== 'string') throw badRequest(`metadata.managedFields: ${field} must be a string`)
  return value
}

/** Of two entries of one owner the later one counts; entries without fields say nothing. */
function unique(entries: readonly Entry[]): readonly Entry[] {
  const last = entries.filter((entry, at) => !entries.slice(at + 1).some((later) => isOwnedBy(later, entry)))
  return last.filter(({ fieldsV1 }) => !isEmpty(fieldsV1))
}
