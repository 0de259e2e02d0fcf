/** Before anything else: is this a schema at all, of a size that may be walked? */
import type { JsonSchema } from '../../../../crds/json-schema.ts'
import { isSchema, MAX_DEPTH, MAX_NODES } from '../node.ts'
import { keyed, type Path, type Report } from './report.ts'

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value)
const isCount: Check = (value) => Number.isSafeInteger(value)
const isBoolean: Check = (value) => typeof value === 'boolean'
const isList: Check = Array.isArray
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText)
const isRules: Check = (value) => Array.isArray(value) && value.every(isRule)
const isSchemas: Check = (value) => Array.isArray(value) && value.every(isSchema)
const isSchemaMap: Check = (value) => isSchema(value) && Object.values(value).every(isSchema)
const isSchemaOrBoolean: Check = (value) => isBoolean(value) || isSchema(value)
/** The list is refused later, in Kubernetes' words. */
const isSchemaOrList: Check = (value) => isSchema(value) || isSchemas(value)

function isRule(value: unknown): boolean {
  if (!isSchema(value)) return false
  const {
    rule = '',
    message = '',
    messageExpression = '',
    reason = '',
    fieldPath = '',
    optionalOldSelf = false,
  } = value
  return [rule, message, messageExpression, reason, fieldPath].every(isText) && isBoolean(optionalOldSelf)
}

const SHAPES: Readonly<Record<string, readonly [Check, string]>> = {
  ...shape(isText, 'a string', 'type', 'format', 'title', 'description', 'pattern', 'id', '$ref', '$schema'),
  ...shape(isText, 'a string', 'x-kubernetes-list-type', 'x-kubernetes-map-type'),
  ...shape(isNumber, 'a number', 'maximum', 'minimum', 'multipleOf'),
  ...shape(isCount, 'an integer', 'maxLength', 'minLength', 'maxItems', 'minItems', 'maxProperties', 'minProperties'),
  ...shape(isBoolean, 'a boolean', 'nullable', 'uniqueItems', 'exclusiveMaximum', 'exclusiveMinimum'),
  ...shape(isBoolean, 'a boolean', 'x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'),
  ...shape(isBoolean, 'a boolean', 'x-kubernetes-int-or-string'),
  ...shape(isList, 'a list', 'enum'),
  ...shape(isTexts, 'a list of strings', 'required', 'x-kubernetes-list-map-keys'),
  ...shape(isRules, 'a list of validation rules', 'x-kubernetes-validations'),
  ...shape(isSchemas, 'a list of schemas', 'allOf', 'anyOf', 'oneOf'),
  ...shape(isSchemaMap, 'an object of schemas', 'properties', 'patternProperties', 'definitions'),
  ...shape(isSchemaOrBoolean, 'a schema or a boolean', 'additionalProperties', 'additionalItems'),
  ...shape(isSchemaOrList, 'a schema', 'items'),
  ...shape(isSchema, 'a schema', 'not'),
}

function shape(check: Check, what: string, ...keywords: readonly string[]): Record<string, readonly [Check, string]> {
  return Object.fromEntries(keywords.map((keyword) => [keyword, [check, what]]))
}

/** False when nothing further may look at the schema; the report says why. */
export function hasShape(schema: unknown, path: Path, report: Report): schema is JsonSchema {
  if (!isSchema(schema)) {
    report.invalid(path, schema, 'must be a schema')
    return false
  }
  const before = report.violations.length
  const pending: { schema: JsonSchema; path: Path; depth: number }[] = [{ schema, path, depth: 0 }]
  for (let parts = 1; ; parts++) {
    const one = pending.pop()
    if (!one || report.isFull()) return report.violations.length === before
    if (one.depth > MAX_DEPTH) {
      report.invalid(path, undefined, `must not be nested deeper than ${MAX_DEPTH} levels`)
      return false
    }
    if (parts + pending.length > MAX_NODES) {
      report.invalid(path, undefined, `must not have more than ${MAX_NODES} parts`)
      return false
    }
    if (!keywordsFit(one.schema, one.path, report)) continue
    for (const [below, child] of children(one.schema, one.path))
      pending.push({ schema: child, path: below, depth: one.depth + 1 })
  }
}

function keywordsFit(schema: JsonSchema, path: Path, report: Report): boolean {
  let fits = true
  for (const [keyword, value] of Object.entries(schema)) {
    const known = Object.hasOwn(SHAPES, keyword) ? SHAPES[keyword] : undefined
    if (!known || value === undefined || known[0](value)) continue
    report.invalid([...path, keyword], value, `must be ${known[1]}`)
    fits = false
  }
  if (isSchema(schema.properties) && Object.hasOwn(schema.properties, '__proto__')) {
    report.forbidden(keyed(path, 'properties', '__proto__'), 'no field may have this name')
    fits = false
  }
  return fits
}

/** Every subschema and where it lies. */
export function* children(schema: JsonSchema, path: Path): Generator<[Path, JsonSchema]> {
  for (const [name, child] of Object.entries(schema.properties ?? {})) yield [keyed(path, 'properties', name), child]
  for (const keyword of ['items', 'additionalProperties', 'not']) {
    const child = schema[keyword]
    if (isSchema(child)) yield [[...path, keyword], child]
  }
  for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
    for (const [i, child] of ((schema[keyword] ?? []) as JsonSchema[]).entries()) yield [[...path, keyword, i], child]
  }
}
