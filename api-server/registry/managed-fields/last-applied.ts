/**
 * kubectl's client-side apply left what it applied in an annotation. When kubectl goes over to server-side apply, what
 * is still as it then said is not in conflict with itself, and the annotation is kept up for a later way back.
 */
import type { ApiObject } from '../../../crds/kind.ts'
import { compare } from './compare.ts'
import { difference, EMPTY, type FieldSet } from './field-set.ts'
import { fieldsOf } from './fields-of.ts'
import { isMap, type MapType } from './schema.ts'

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
/** The manager whose applies are kubectl's own, unless its user chose another name. */
export const KUBECTL = 'kubectl'
/** What all the annotations of an object may hold together. */
const MAX_ANNOTATIONS_BYTES = 256 * 1024

/** Fields that kubectl once applied on the client's side and that have the value it gave them. */
export function fieldsLastApplied(type: MapType, live: ApiObject): FieldSet {
  const config = lastApplied(live)
  if (config === undefined) return EMPTY
  const { changed } = compare(type, config, live)
  return difference(fieldsOf(type, config).set, changed)
}

function lastApplied({ metadata }: ApiObject): Readonly<Record<string, unknown>> | undefined {
  const text = metadata.annotations?.[LAST_APPLIED]
  if (typeof text !== 'string') return undefined
  try {
    const config: unknown = JSON.parse(text)
    return isMap(config) ? config : undefined
  } catch {
    return undefined // anybody may write an annotation; what is no JSON tells nothing
  }
}

/** `object` with the annotation telling what `config` says now, where it has the annotation at all. */
export function withLastApplied(object: ApiObject, config: ApiObject): ApiObject {
  const { annotations = {} } = object.metadata
  if (!annotations[LAST_APPLIED]) return object
  const { [LAST_APPLIED]: _old, ...others } = config.metadata.annotations ?? {}
  const said = { ...config, metadata: { ...config.metadata, annotations: others } }
  const next: Record<string, string> = { ...annotations, [LAST_APPLIED]: `${JSON.stringify(sortedKeys(said))}\n` }
  if (bytesOf(next) > MAX_ANNOTATIONS_BYTES) delete next[LAST_APPLIED]
  return { ...object, metadata: { ...object.metadata, annotations: next } }
}

function bytesOf(annotations: Readonly<Record<string, string>>): number {
  return Object.entries(annotations).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0)
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortedKeys(value[key])]),
  )
}
