/**
 * Values against the schema, by ajv. OpenAPI v3's dialect becomes JSON schema here (nullable, boolean exclusive bounds,
 * int-or-string), and patterns run on our own linear engine.
 *
 * Two validators: one that stops at the first error, which nearly every object passes, and one that finds them all, which
 * only objects of bounded size get, as a body of 3 MiB can hold a million errors of a hundred times its size.
 */
import { Ajv, type ValidateFunction } from 'ajv'
import type { JsonSchema } from '../../../crds/json-schema.ts'
import type { Cause } from '../../registry/errors.ts'
import { formatFor } from './formats.ts'
import type { Meter } from './meter.ts'
import { isSchema, propertiesOf } from './node.ts'
import { compileRegex } from './regex/index.ts'
import { causesOf } from './value-causes.ts'

/** Objects of more values than this are told of their first error only. */
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

export type CheckValues = (value: unknown) => Cause[]

/** Compiles the schema; the second validator is compiled when first needed. */
export function compileValues(schema: JsonSchema, meter: Meter): CheckValues {
  const translated = translate(schema)
  const first = validatorOf(translated, meter, false)
  let all: ValidateFunction | undefined
  return (value) => {
    if (first(value)) return []
    if (isLarge(value)) return causesOf(first.errors ?? [], value, translated)
    all ??= validatorOf(translated, meter, true)
    all(value)
    return causesOf(all.errors ?? [], value, translated)
  }
}

/** ajv's validator of a translated schema. */
export function validatorOf(schema: JsonSchema, meter: Meter, allErrors: boolean): ValidateFunction {
  const regExp = Object.assign((pattern: string) => named(pattern, compileRegex(pattern, meter).test), {
    code: 'compileRegex',
  })
  const ajv = new Ajv({
    allErrors,
    messages: false,
    meta: false,
    strict: false,
    ownProperties: true,
    validateSchema: false,
    addUsedSchema: false,
    multipleOfPrecision: 9,
    inlineRefs: false,
    // Optimizing costs more time than it saves for code that is compiled once and run on small objects.
    code: { regExp, optimize: false },
  })
  for (const name of formatsIn(schema)) {
    const format = formatFor(name)
    if (format) ajv.addFormat(name, format)
  }
  return ajv.compile(schema)
}

/** ajv tells compiled patterns apart by their text. */
const named = (pattern: string, test: (text: string) => boolean) => ({ test, toString: () => pattern })

function formatsIn(schema: JsonSchema, found = new Set<string>()): Set<string> {
  if (typeof schema.format === 'string') found.add(schema.format)
  for (const child of childrenOf(schema)) formatsIn(child, found)
  return found
}

function* childrenOf(schema: JsonSchema): Generator<JsonSchema> {
  for (const [, child] of propertiesOf(schema)) yield child
  for (const child of [schema.items, schema.additionalProperties, schema.not]) if (isSchema(child)) yield child
  for (const junctor of ['allOf', 'anyOf', 'oneOf']) yield* (schema[junctor] ?? []) as JsonSchema[]
}

/** Keyword by keyword, nothing taken over that is not known: `$ref`, `$async` or `default` never reach ajv. */
export function translate(schema: JsonSchema): JsonSchema {
  const out: JsonSchema = {}
  for (const keyword of PLAIN_KEYWORDS) if (schema[keyword] !== undefined) out[keyword] = schema[keyword]
  if (out.pattern === '') delete out.pattern
  if (Array.isArray(out.enum) && out.enum.length === 0) delete out.enum
  translateType(schema, out)
  translateBounds(schema, out)
  translateChildren(schema, out)
  return out
}

function translateType(schema: JsonSchema, out: JsonSchema): void {
  const types = typesOf(schema)
  if (types.length > 0) {
    out['x-type'] = types.join()
    Object.assign(out, { type: schema.nullable === true ? [...types, 'null'] : types })
  }
  if (typeof schema.format === 'string' && formatFor(schema.format)) out.format = schema.format
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

function translateChildren(schema: JsonSchema, out: JsonSchema): void {
  const properties = propertiesOf(schema)
  if (properties.length > 0)
    out.properties = Object.fromEntries(properties.map(([name, one]) => [name, translate(one)]))
  if (Array.isArray(schema.required) && schema.required.length > 0) out.required = [...new Set(schema.required)]
  if (isSchema(schema.items)) out.items = translate(schema.items)
  if (isSchema(schema.additionalProperties)) out.additionalProperties = translate(schema.additionalProperties)
  if (isSchema(schema.not)) out.not = translate(schema.not)
  for (const junctor of ['allOf', 'anyOf', 'oneOf']) {
    const options = schema[junctor]
    if (Array.isArray(options) && options.length > 0) out[junctor] = options.filter(isSchema).map(translate)
  }
}

/** Counts values without recursion, and no further than it must. */
function isLarge(value: unknown): boolean {
  const pending = [value]
  for (let count = 0; pending.length > 0; count++) {
    if (count + pending.length > MAX_VALUES_FOR_ALL_ERRORS) return true
    const one = pending.pop()
    if (one === null || typeof one !== 'object') continue
    const inside = Object.values(one)
    if (inside.length > MAX_VALUES_FOR_ALL_ERRORS) return true
    pending.push(...inside)
  }
  return false
}
