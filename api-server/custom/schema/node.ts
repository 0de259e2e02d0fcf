/**
 * A structural schema as a tree that is quick and safe to walk: names live in Maps, so `__proto__` or `constructor` in a
 * user's schema or object are names like any other.
 */
import type { JsonSchema } from '../../../crds/json-schema.ts'

/** Deeper schemas are refused: every walk of this folder recurses along the schema, never along the object alone. */
export const MAX_DEPTH = 64
/** More subschemas than the largest CRDs in the wild have (those that embed several pod templates: about 15 000). */
export const MAX_NODES = 30_000

export interface Rule {
  readonly rule: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: string
  readonly fieldPath?: string
  readonly optionalOldSelf?: boolean
}

export interface SchemaNode {
  /** The schema itself, for what is judged by the keyword. */
  readonly source: JsonSchema
  /** '' where the schema names none (int-or-string, preserved content). */
  readonly type: string
  readonly format: string
  readonly nullable: boolean
  readonly intOrString: boolean
  readonly preserve: boolean
  readonly embedded: boolean
  readonly properties: ReadonlyMap<string, SchemaNode>
  readonly items: SchemaNode | undefined
  /** The schema of values under free keys; `true` where any value goes. */
  readonly additional: SchemaNode | true | undefined
  /** Undefined: none. */
  readonly preset: unknown
  readonly listType: string
  readonly listMapKeys: readonly string[]
  readonly atomicMap: boolean
  readonly rules: readonly Rule[]
}

/** Builds the tree. Throws when the schema is deeper or larger than the bounds above. */
export function schemaNode(schema: JsonSchema): SchemaNode {
  return build(schema, 0, { left: MAX_NODES })
}

interface Allowance {
  left: number
}

function build(schema: JsonSchema, depth: number, allowance: Allowance): SchemaNode {
  if (depth > MAX_DEPTH) throw new Error(`the schema is nested deeper than ${MAX_DEPTH} levels`)
  if (allowance.left-- <= 0) throw new Error(`the schema has more than ${MAX_NODES} parts`)
  const below = (child: unknown) => (isSchema(child) ? build(child, depth + 1, allowance) : undefined)
  return {
    ...facts(schema),
    properties: new Map(propertiesOf(schema).map(([name, child]) => [name, build(child, depth + 1, allowance)])),
    items: below(schema.items),
    additional: schema.additionalProperties === true ? true : below(schema.additionalProperties),
  }
}

function facts(schema: JsonSchema): Omit<SchemaNode, 'properties' | 'items' | 'additional'> {
  return {
    source: schema,
    type: text(schema.type),
    format: text(schema.format),
    nullable: schema.nullable === true,
    intOrString: schema['x-kubernetes-int-or-string'] === true,
    preserve: schema['x-kubernetes-preserve-unknown-fields'] === true,
    embedded: schema['x-kubernetes-embedded-resource'] === true,
    preset: schema.default ?? undefined,
    listType: text(schema['x-kubernetes-list-type']),
    listMapKeys: texts(schema['x-kubernetes-list-map-keys']),
    atomicMap: schema['x-kubernetes-map-type'] === 'atomic',
    rules: rulesOf(schema),
  }
}

/** The named properties; `__proto__` is left out, as no engine below could hold a schema under it (and is refused). */
export function propertiesOf(schema: JsonSchema): [string, JsonSchema][] {
  if (!isSchema(schema.properties)) return []
  return Object.entries(schema.properties).filter(
    (entry): entry is [string, JsonSchema] => entry[0] !== '__proto__' && isSchema(entry[1]),
  )
}

export function rulesOf(schema: JsonSchema): readonly Rule[] {
  const rules = schema['x-kubernetes-validations']
  return Array.isArray(rules) ? rules.filter((one): one is Rule => typeof one?.rule === 'string') : []
}

export function isSchema(value: unknown): value is JsonSchema {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
