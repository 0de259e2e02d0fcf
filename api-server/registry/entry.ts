/** What the watch cache keeps of an object: its bytes once, and what selectors ask about. */
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { managedFieldsIn, textWithoutManagedFields } from './encode.ts'
import { jsonPath } from './json-path.ts'
import { type FieldSelector, type LabelSelector, matchesLabels, selectablePaths } from './selectors.ts'

export interface Entry {
  /** `<namespace or ->/<name>`: order and identity within the kind. */
  readonly key: string
  readonly name: string
  readonly namespace: string | undefined
  /** resourceVersion. */
  readonly version: bigint
  /** The whole object as JSON, resourceVersion included. */
  readonly bytes: Buffer
  readonly labels: Readonly<Record<string, string>> | undefined
  /** Values of `selectablePaths(kind)`, in that order. */
  readonly fields: readonly string[]
}

/** The object, but for its managedFields, which are asked for apart. */
export function objectOf(entry: Entry): ApiObject {
  return JSON.parse(textWithoutManagedFields(entry.bytes)) as ApiObject
}

export function managedFieldsOf(entry: Entry): unknown[] | undefined {
  return managedFieldsIn(entry.bytes)
}

/** `object` with the managedFields of the entry that it was read from. */
export function managedAsIn(entry: Entry, object: ApiObject): ApiObject {
  const managedFields = managedFieldsOf(entry)
  return managedFields === undefined ? object : { ...object, metadata: { ...object.metadata, managedFields } }
}

/**
 * The object with its managedFields, which are parsed only if somebody looks at them: hardly any change does. Until
 * then they are hidden from whoever copies the metadata.
 */
export function changeableObjectOf(entry: Entry): ApiObject {
  const object = objectOf(entry)
  const show = (value: unknown) =>
    Object.defineProperty(object.metadata, 'managedFields', {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    })
  Object.defineProperty(object.metadata, 'managedFields', {
    configurable: true,
    enumerable: false,
    get: () => {
      const list = managedFieldsOf(entry)
      if (list !== undefined) show(list)
      return list
    },
    set: show,
  })
  return object
}

export type EntryMaker = (key: string, bytes: Buffer, version: bigint) => Entry

export function entryMaker(kind: Kind): EntryMaker {
  const paths = selectablePaths(kind)
  const readers = paths.map((path) => jsonPath(`.${kind.fieldAliases?.[path] ?? path}`))
  const namespaceAt = paths.indexOf('metadata.namespace')
  return (key, bytes, version) => {
    const object = JSON.parse(textWithoutManagedFields(bytes)) as ApiObject
    const fields = readers.map((read) => text(read(object)))
    const namespace = fields[namespaceAt] === '' ? undefined : fields[namespaceAt]
    return { key, name: object.metadata.name, namespace, version, bytes, labels: object.metadata.labels, fields }
  }
}

function text(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : ''
}

export interface Filter {
  readonly namespace?: string | undefined
  readonly labels?: LabelSelector | undefined
  readonly fields?: FieldSelector | undefined
}

/** Compiles a filter for a kind; undefined when everything passes, so that callers can skip the test. */
export function compileFilter(
  kind: Kind,
  { namespace, labels, fields }: Filter,
): ((entry: Entry) => boolean) | undefined {
  const paths = selectablePaths(kind)
  const wanted = (fields ?? []).map(({ path, value, equal }) => ({ at: paths.indexOf(path), value, equal }))
  const hasLabels = labels !== undefined && labels.length > 0
  if (namespace === undefined && wanted.length === 0 && !hasLabels) return undefined
  return (entry) =>
    (namespace === undefined || entry.namespace === namespace) &&
    wanted.every(({ at, value, equal }) => (entry.fields[at] === value) === equal) &&
    (!hasLabels || matchesLabels(labels, entry.labels))
}
