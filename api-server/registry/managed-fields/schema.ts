/**
 * How ownership divides an object: which maps and lists are owned piece by piece and which as a whole. Compiled once a
 * kind from its structural schema, where `crds/` says it as Kubernetes does (x-kubernetes-list-type, -list-map-keys,
 * -map-type). What no schema describes divides as upstream: maps by key, lists not at all.
 */
import { fieldSchemas, type JsonSchema, structuralSchema } from '../../../crds/json-schema.ts'
import type { Kind } from '../../../crds/kind.ts'
import { ObjectMeta } from '../../../crds/metadata.ts'

/** A scalar, or a map or list that is owned as a whole. */
interface Leaf {
  readonly is: 'leaf'
}

export interface MapType {
  readonly is: 'map'
  readonly fields: ReadonlyMap<string, Field>
  /** What a key that is no declared field holds; undefined: there is no such key. */
  readonly elements: FieldType | undefined
}

/** A list whose elements are told apart by some of their fields. */
export interface KeyedList {
  readonly is: 'list'
  readonly keys: readonly ListKey[]
  readonly elements: FieldType
}

/** A list of scalars without duplicates. */
interface SetList {
  readonly is: 'set'
}

/** Anything: divides by what the value is. */
interface Untyped {
  readonly is: 'any'
}

export type FieldType = Leaf | MapType | KeyedList | SetList | Untyped

export interface ListKey {
  readonly name: string
  readonly default: unknown
}

/**
 * What is special about a declared field. `ignored`: the server's own, nobody owns it. `kept`: it holds what is owned,
 * and is itself neither owned nor removed. `struct`: always there on kinds that Kubernetes builds in, so that whoever
 * writes below it does not own it.
 */
export type FieldMark = 'ignored' | 'kept' | 'struct'

export interface Field {
  readonly type: FieldType
  readonly mark: FieldMark | undefined
}

export const LEAF: FieldType = { is: 'leaf' }
const SET: FieldType = { is: 'set' }
const ANY: FieldType = { is: 'any' }
const ANY_MAP: MapType = { is: 'map', fields: new Map(), elements: ANY }

const IGNORED = new Set([
  'name',
  'namespace',
  'creationTimestamp',
  'selfLink',
  'uid',
  'generation',
  'managedFields',
  'resourceVersion',
])

const compiled = new WeakMap<Kind, MapType>()

/** The type of a kind's objects. */
export function objectType(kind: Kind): MapType {
  let type = compiled.get(kind)
  if (type === undefined) {
    type = compileKind(kind)
    compiled.set(kind, type)
  }
  return type
}

function compileKind(kind: Kind): MapType {
  const { structure } = kind
  const isBuiltIn =
    structure === undefined && (kind.group === '' || !kind.group.includes('.') || kind.group.endsWith('.k8s.io'))
  const fields = new Map<string, Field>()
  for (const name of ['apiVersion', 'kind']) fields.set(name, { type: LEAF, mark: 'ignored' })
  fields.set('metadata', { type: metadataType(), mark: 'kept' })
  for (const [name, schema] of Object.entries(fieldSchemas(kind).properties)) {
    const type = typeOf(schema)
    fields.set(name, { type, mark: isBuiltIn && type.is === 'map' && type.fields.size > 0 ? 'struct' : undefined })
  }
  return { is: 'map', fields, elements: structure && isOpen(structure.openApi) ? ANY : undefined }
}

function metadataType(): MapType {
  const fields = new Map<string, Field>()
  for (const [name, schema] of Object.entries(structuralSchema(ObjectMeta).properties ?? {}))
    fields.set(name, { type: typeOf(schema), mark: IGNORED.has(name) ? 'ignored' : undefined })
  return { is: 'map', fields, elements: undefined }
}

/** The type that a structural schema describes. */
export function typeOf(schema: JsonSchema): FieldType {
  if (schema.type === 'array') return listType(schema)
  if (schema['x-kubernetes-int-or-string'] === true) return LEAF
  if (schema.type === 'object' || schema.properties !== undefined) return mapType(schema)
  return schema.type === undefined ? ANY : LEAF
}

function mapType(schema: JsonSchema): FieldType {
  if (schema['x-kubernetes-map-type'] === 'atomic') return LEAF
  const { properties = {}, additionalProperties } = schema
  const fields = new Map(
    Object.entries(properties).map(([name, inner]): [string, Field] => [
      name,
      { type: typeOf(inner), mark: undefined },
    ]),
  )
  if (typeof additionalProperties === 'object') return { is: 'map', fields, elements: typeOf(additionalProperties) }
  return { is: 'map', fields, elements: isOpen(schema) || fields.size === 0 ? ANY : undefined }
}

function isOpen(schema: JsonSchema): boolean {
  return schema.additionalProperties === true || schema['x-kubernetes-preserve-unknown-fields'] === true
}

function listType(schema: JsonSchema): FieldType {
  const { items = {} } = schema
  if (schema['x-kubernetes-list-type'] === 'set') return SET
  const names = schema['x-kubernetes-list-map-keys']
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(names)) return LEAF
  const keys = (names as string[])
    .toSorted()
    .map((name): ListKey => ({ name, default: items.properties?.[name]?.default }))
  return { is: 'list', keys, elements: typeOf(items) }
}

/** How a value of a type really divides: what does not have the form its type says is owned as a whole. */
export function shapeOf(type: FieldType, value: unknown): FieldType {
  switch (type.is) {
    case 'any':
      return isMap(value) ? ANY_MAP : LEAF
    case 'map':
      return value === null || isMap(value) ? type : LEAF
    case 'list':
    case 'set':
      return value === null || Array.isArray(value) ? type : LEAF
    default:
      return type
  }
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
