/**
 * Values against the schema. The shape (properties, items, free keys) is walked here; what a single value must be (type,
 * bounds, pattern, junctors) is judged by ajv, one validator for each distinct demand, compiled when first met. A CRD of
 * 15 000 parts makes a few hundred demands and an object meets a few dozen, where one validator for the whole took ajv
 * seconds to write and more stack than there is to parse.
 *
 * OpenAPI v3's dialect becomes JSON schema on the way (nullable, boolean exclusive bounds, int-or-string), and patterns
 * run on our own linear engine.
 */
import { Ajv } from 'ajv'
import type { JsonSchema } from '../../../crds/json-schema.ts'
import type { Cause } from '../../registry/errors.ts'
import { childOf } from './defaults.ts'
import { FORMATS, formatFor } from './formats.ts'
import type { Meter } from './meter.ts'
import { isSchema, propertiesOf, type SchemaNode } from './node.ts'
import { isUnchanged, pastField, pastItems } from './ratchet.ts'
import { compileRegex } from './regex/index.ts'
import { causesOf, fieldBelow } from './value-causes.ts'

/** Told at most: a body of 3 MiB can hold a million errors of a hundred times its size. */
const MAX_CAUSES = 100
/** Inside of larger values a junctor tells of its first error only, for the same reason. */
const MAX_VALUES_FOR_ALL_ERRORS = 20_000

/** Copied as they are; all others are Kubernetes' own, translated below, or remarks. */
const PLAIN_KEYWORDS = [
  'enum',
  'maxItems',
  'maxLength',
  'maxProperties',
  'minItems',
  'minLength',
  'minProperties',
  'multipleOf',
  'pattern',
]
const JUNCTORS = ['allOf', 'anyOf', 'oneOf']

/**
 * Every way in which a value breaks a schema, except where it is what it was: `past`, undefined for what is new. `path` is
 * where the value lies. Throws `BudgetSpent`.
 */
export type CheckValue = (value: unknown, node: SchemaNode, path: string, past: unknown) => Cause[]

/** Regular expressions are paid for from `meter`. */
export function valueChecker(meter: Meter): CheckValue {
  const demandOf = demands(meter)
  return (value, node, path, past) => {
    const causes: Cause[] = []
    walk({ value, past, node, path }, { demandOf, causes })
    return causes
  }
}

interface Step {
  readonly value: unknown
  readonly past: unknown
  readonly node: SchemaNode
  readonly path: string
}

interface Walk {
  readonly demandOf: (node: SchemaNode) => Demand
  readonly causes: Cause[]
}

function walk(step: Step, on: Walk): void {
  const { value, past, node, path } = step
  const before = on.causes.length
  if (before >= MAX_CAUSES) return
  on.causes.push(...on.demandOf(node)(value, path).slice(0, MAX_CAUSES))
  const isOwn = on.causes.length > before
  if (Array.isArray(value)) walkList(value, step, on)
  else if (value !== null && typeof value === 'object')
    for (const [key, inside] of Object.entries(value)) {
      const child = childOf(node, key)
      if (child) walk({ value: inside, past: pastField(past, key), node: child, path: fieldBelow(path, key) }, on)
    }
  // What is left of a child's says that the child has changed, and so has this; an item without a past says nothing.
  const mayBeOld = isOwn || (Array.isArray(value) && on.causes.length > before)
  if (mayBeOld && isUnchanged(value, past, node)) on.causes.length = before
}

function walkList(list: readonly unknown[], { past, node, path }: Step, on: Walk): void {
  const { items } = node
  if (!items) return
  const pastOf = pastItems(past, node)
  for (const [i, item] of list.entries())
    walk({ value: item, past: pastOf(item, i), node: items, path: `${path}[${i}]` }, on)
}

type Demand = (value: unknown, path: string) => Cause[]

const NO_CAUSES: Cause[] = []

/** What a node demands of its own value; equal demands of different nodes share one validator. */
function demands(meter: Meter): (node: SchemaNode) => Demand {
  const [firstOnly, all] = [createAjv(meter, false), createAjv(meter, true)]
  const byNode = new WeakMap<SchemaNode, Demand>()
  const byText = new Map<string, Demand>()
  return (node) => {
    const known = byNode.get(node)
    if (known) return known
    const schema = translate(node.source, false)
    const text = JSON.stringify(schema)
    const demand = byText.get(text) ?? createDemand(schema, all, firstOnly)
    byText.set(text, demand)
    byNode.set(node, demand)
    return demand
  }
}

function createDemand(schema: JsonSchema, all: Ajv, firstOnly: Ajv): Demand {
  const looksInside = JUNCTORS.some((junctor) => junctor in schema)
  const whole = all.compile(schema)
  let short: typeof whole | undefined
  return (value, path) => {
    let validate = whole
    if (looksInside && isLarge(value)) {
      short ??= firstOnly.compile(schema)
      validate = short
    }
    return validate(value) ? NO_CAUSES : causesOf(validate.errors ?? [], { root: value, path, schema })
  }
}

function createAjv(meter: Meter, allErrors: boolean): Ajv {
  const compile = (pattern: string) => named(pattern, compileRegex(pattern, meter).test)
  const ajv = new Ajv({
    allErrors,
    messages: false,
    meta: false,
    logger: false,
    strict: false,
    ownProperties: true,
    validateSchema: false,
    addUsedSchema: false,
    multipleOfPrecision: 9,
    inlineRefs: false,
    // Optimizing costs more time than it saves for code that is compiled once and run on small values.
    code: { regExp: Object.assign(compile, { code: 'compileRegex' }), optimize: false },
  })
  for (const name of FORMATS) {
    const format = formatFor(name)
    if (format) ajv.addFormat(name, format)
  }
  return ajv
}

/** ajv tells compiled patterns apart by their text. */
const named = (pattern: string, test: (text: string) => boolean) => ({ test, toString: () => pattern })

/** Keyword by keyword, nothing taken over that is not known: `$ref`, `$async` or `default` never reach ajv. */
function translate(schema: JsonSchema, withChildren: boolean): JsonSchema {
  const out: JsonSchema = {}
  for (const keyword of PLAIN_KEYWORDS) if (schema[keyword] !== undefined) out[keyword] = schema[keyword]
  if (out.pattern === '') delete out.pattern
  if (Array.isArray(out.enum) && out.enum.length === 0) delete out.enum
  if (Array.isArray(schema.required) && schema.required.length > 0) out.required = [...new Set(schema.required)]
  translateType(schema, out)
  translateBounds(schema, out)
  translateJunctors(schema, out)
  if (withChildren) translateChildren(schema, out)
  return out
}

function translateType(schema: JsonSchema, out: JsonSchema): void {
  const types = typesOf(schema)
  if (types.length > 0) {
    out['x-type'] = types.join()
    Object.assign(out, { type: schema.nullable === true ? [...types, 'null'] : types })
  }
  if (typeof schema.format !== 'string' || !formatFor(schema.format)) return
  // Dashes do not count; the cause spells the format as its schema does.
  out.format = schema.format.replaceAll('-', '')
  out['x-format'] = schema.format
}

function typesOf(schema: JsonSchema): string[] {
  if (schema['x-kubernetes-int-or-string'] === true) return ['integer', 'string']
  return typeof schema.type === 'string' && schema.type !== '' ? [schema.type] : []
}

function translateBounds(schema: JsonSchema, out: JsonSchema): void {
  for (const [bound, exclusive] of [
    ['maximum', 'exclusiveMaximum'],
    ['minimum', 'exclusiveMinimum'],
  ] as const) {
    if (typeof schema[bound] === 'number') out[schema[exclusive] === true ? exclusive : bound] = schema[bound]
  }
}

/** What stands under a junctor is judged where the junctor stands, children and all. */
function translateJunctors(schema: JsonSchema, out: JsonSchema): void {
  const whole = (one: JsonSchema) => translate(one, true)
  if (isSchema(schema.not)) out.not = whole(schema.not)
  for (const junctor of JUNCTORS) {
    const options = schema[junctor]
    if (Array.isArray(options) && options.length > 0) out[junctor] = options.filter(isSchema).map(whole)
  }
}

function translateChildren(schema: JsonSchema, out: JsonSchema): void {
  const properties = propertiesOf(schema).map(([name, one]) => [name, translate(one, true)] as const)
  if (properties.length > 0) out.properties = Object.fromEntries(properties)
  if (isSchema(schema.items)) out.items = translate(schema.items, true)
  if (isSchema(schema.additionalProperties)) out.additionalProperties = translate(schema.additionalProperties, true)
}

/** Counts values without recursion, and no further than it must. */
function isLarge(value: unknown): boolean {
  const pending = [value]
  for (let count = 0; pending.length > 0; count++) {
    const one = pending.pop()
    const inside = one !== null && typeof one === 'object' ? Object.values(one) : []
    if (count + pending.length + inside.length > MAX_VALUES_FOR_ALL_ERRORS) return true
    pending.push(...inside)
  }
  return false
}
