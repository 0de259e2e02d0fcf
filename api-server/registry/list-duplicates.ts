/**
 * Elements that come twice in a list whose schema says that they cannot (x-kubernetes-list-type map and set), as
 * Kubernetes checks them for kinds that are CRDs. Its own kinds it leaves to their rules: an `env` may name a variable
 * twice, the last one counts. Users' own kinds are checked with their structure.
 */
import type { JsonSchema } from '../../crds/json-schema.ts'
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { type Cause, shown } from './errors.ts'
import { isObject } from './patch/merge.ts'
import { dotted, schemaOf } from './schema-causes.ts'

type Path = readonly (string | number)[]

/** None for an object that had some before: it must stay possible to write it otherwise. */
export function duplicatesIn(kind: Kind, object: ApiObject, previous: ApiObject | undefined): Cause[] {
  if (kind.builtIn || 'structure' in kind) return []
  const keyed = keyedOf(kind)
  if (keyed === null) return []
  const look = (one: ApiObject) => [...inValue(one, keyed, [])]
  const causes = look(object)
  return causes.length > 0 && previous !== undefined && look(previous).length > 0 ? [] : causes
}

const keyedParts = new WeakMap<Kind, JsonSchema | null>()

/** Of the kind's schema only what leads to such lists, made once: most of an object leads to none. */
function keyedOf(kind: Kind): JsonSchema | null {
  let keyed = keyedParts.get(kind)
  if (keyed === undefined) {
    const { metadata: _, ...properties } = schemaOf(kind).properties ?? {}
    keyed = keyedPart({ properties }) ?? null
    keyedParts.set(kind, keyed)
  }
  return keyed
}

/** Structural schemas have either properties or additionalProperties, so leaving some out changes no other's meaning. */
function keyedPart({
  properties = {},
  additionalProperties: others,
  items,
  ...rest
}: JsonSchema): JsonSchema | undefined {
  const inside = Object.entries(properties).flatMap(([field, schema]) => {
    const part = keyedPart(schema)
    return part ? [[field, part] as const] : []
  })
  const part: JsonSchema = { ...rest }
  if (inside.length > 0) part.properties = Object.fromEntries(inside)
  const [ofOthers, ofItems] = [typeof others === 'object' ? keyedPart(others) : undefined, items && keyedPart(items)]
  if (ofOthers) part.additionalProperties = ofOthers
  if (ofItems) part.items = ofItems
  const leads = inside.length > 0 || ofOthers !== undefined || ofItems !== undefined
  return leads || identityIn(part) !== undefined ? part : undefined
}

function* inValue(value: unknown, schema: JsonSchema, path: Path): Generator<Cause> {
  if (Array.isArray(value)) yield* inList(value, schema, path)
  else if (isObject(value))
    for (const [field, inner] of Object.entries(value)) {
      const type = schemaOfField(schema, field)
      if (type) yield* inValue(inner, type, [...path, field])
    }
}

function schemaOfField({ properties = {}, additionalProperties: others }: JsonSchema, field: string) {
  if (Object.hasOwn(properties, field)) return properties[field]
  return typeof others === 'object' ? others : undefined
}

function* inList(list: readonly unknown[], schema: JsonSchema, path: Path): Generator<Cause> {
  const keyOf = identityIn(schema)
  const times = new Map<string, number>()
  for (const [at, element] of list.entries()) {
    if (keyOf !== undefined) {
      const key = keyOf(element)
      const identity = JSON.stringify(key)
      const before = times.get(identity) ?? 0
      times.set(identity, before + 1)
      // The second one stands for all that follow.
      if (before === 1) yield duplicate([...path, at], key)
    }
    if (schema.items) yield* inValue(element, schema.items, [...path, at])
  }
}

function identityIn(schema: JsonSchema): ((element: unknown) => unknown) | undefined {
  const keys = schema['x-kubernetes-list-map-keys']
  if (schema['x-kubernetes-list-type'] === 'set') return (element) => element
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(keys)) return undefined
  return (element) =>
    isObject(element)
      ? Object.fromEntries(keys.flatMap((key: string) => (Object.hasOwn(element, key) ? [[key, element[key]]] : [])))
      : {}
}

function duplicate(path: Path, value: unknown): Cause {
  return { reason: 'FieldValueDuplicate', message: `Duplicate value: ${shown(value)}`, field: dotted(path) }
}
