/** Rules on x-kubernetes-list-type and x-kubernetes-list-map-keys. */
import type { JsonSchema } from '../../../../crds/json-schema.ts'
import { isSchema } from '../node.ts'
import { keyed, type Path, type Report } from './report.ts'

const LIST_TYPE = 'x-kubernetes-list-type'
const MAP_KEYS = 'x-kubernetes-list-map-keys'
const LIST_TYPES = ['atomic', 'map', 'set']

export function checkListKeywords(schema: JsonSchema, path: Path, report: Report): void {
  const { type = '' } = schema
  const listType = schema[LIST_TYPE] as string | undefined
  const keys = (schema[MAP_KEYS] ?? []) as readonly string[]
  if (keys.length > 0) checkKeysBelong(listType, path, report)
  if (listType === undefined) return
  const why = 'must be array if x-kubernetes-list-type is specified'
  if (type === '') report.required([...path, 'type'], why)
  else if (type !== 'array') report.invalid([...path, 'type'], type, why)
  if (!LIST_TYPES.includes(listType)) report.notSupported([...path, LIST_TYPE], listType, LIST_TYPES)
  if (listType === 'set' && isSchema(schema.items)) checkSetItems(schema.items, [...path, 'items'], report)
  if (listType === 'map') checkMapList(schema, keys, path, report)
  if ((listType === 'set' || listType === 'map') && isSchema(schema.items) && schema.items.nullable === true)
    report.forbidden([...path, 'items', 'nullable'], `cannot be nullable when x-kubernetes-list-type is ${listType}`)
}

function checkKeysBelong(listType: string | undefined, path: Path, report: Report): void {
  const why = 'must be map if x-kubernetes-list-map-keys is non-empty'
  if (listType === undefined) report.required([...path, LIST_TYPE], why)
  else if (listType !== 'map') report.invalid([...path, LIST_TYPE], listType, why)
}

function checkSetItems(items: JsonSchema, path: Path, report: Report): void {
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const listType = items[LIST_TYPE]
  const mapType = items['x-kubernetes-map-type']
  if (items.type === 'array' && listType !== undefined && listType !== 'atomic')
    report.invalid([...path, LIST_TYPE], listType, why)
  if (items.type === 'object' && mapType !== 'atomic')
    report.invalid([...path, 'x-kubernetes-map-type'], mapType ?? null, why)
}

function checkMapList(schema: JsonSchema, keys: readonly string[], path: Path, report: Report): void {
  const { items } = schema
  if (keys.length === 0) report.required([...path, MAP_KEYS], 'must not be empty if x-kubernetes-list-type is map')
  if (items === undefined) report.required([...path, 'items'], 'must have a schema if x-kubernetes-list-type is map')
  if (!isSchema(items)) return
  if (items.type === 'object') checkKeys(items, keys, path, report)
  else {
    const why = "must be object if parent array's x-kubernetes-list-type is map"
    report.invalid([...path, 'items', 'type'], items.type ?? '', why)
  }
}

function checkKeys(items: JsonSchema, keys: readonly string[], path: Path, report: Report): void {
  const seen = new Set<string>()
  for (const key of keys) {
    if (seen.has(key)) report.invalid([...path, MAP_KEYS], keys, 'must not contain duplicate entries')
    seen.add(key)
    const schema = Object.hasOwn(items.properties ?? {}, key) ? items.properties?.[key] : undefined
    if (!schema) report.invalid([...path, MAP_KEYS], keys, 'entries must all be names of item properties')
    else checkKey(items, key, schema, keyed([...path, 'items'], 'properties', key), report)
  }
}

function checkKey(items: JsonSchema, key: string, schema: JsonSchema, path: Path, report: Report): void {
  if (schema.type === 'array' || schema.type === 'object') {
    const why = "must be a scalar type if parent array's x-kubernetes-list-type is map"
    report.invalid([...path, 'type'], schema.type, why)
  }
  if (!items.required?.includes(key) && schema.default === undefined) {
    const why = 'so it must have a default or be a required property'
    report.required([...path, 'default'], `this property is in x-kubernetes-list-map-keys, ${why}`)
  }
  if (schema.nullable === true)
    report.forbidden([...path, 'nullable'], 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable')
}
