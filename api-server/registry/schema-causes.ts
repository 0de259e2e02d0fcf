/** What a schema finds wrong, in the words of Kubernetes' own schema checks and of its JSON decoder. */
import type { z } from 'zod'
import { type JsonSchema, structuralSchema } from '../../crds/json-schema.ts'
import type { Kind } from '../../crds/kind.ts'
import { type Cause, shown } from './errors.ts'

type Issue = z.core.$ZodIssue
type Path = readonly (string | number)[]

const schemas = new WeakMap<Kind, JsonSchema>()

/** A kind's whole object as a structural schema, made once. */
export function schemaOf(kind: Kind): JsonSchema {
  let schema = schemas.get(kind)
  if (schema === undefined) {
    schema = structuralSchema(kind.schema)
    schemas.set(kind, schema)
  }
  return schema
}

export function causesOf(kind: Kind, issue: Issue, input: unknown): Cause[] {
  const path = issue.path as Path
  const field = dotted(path)
  const value = valueAt(input, path)
  const inBody = field === '' ? 'body' : `${field} in body`
  const say = (reason: string, message: string): Cause[] => [{ reason, message, field }]
  const invalid = (why: string) => say('FieldValueInvalid', `Invalid value: ${shown(value)}: ${why}`)
  if (value === undefined) return say('FieldValueRequired', 'Required value')
  switch (issue.code) {
    case 'invalid_type':
      return say(
        'FieldValueTypeInvalid',
        `Invalid value: "${typeOf(value)}": ${inBody} must be of type ${typeName(kind, issue)}: "${typeOf(value)}"`,
      )
    case 'invalid_value':
      return say(
        'FieldValueNotSupported',
        `Unsupported value: ${shown(value)}: supported values: ${issue.values.map((one) => JSON.stringify(one)).join(', ')}`,
      )
    case 'too_big':
      return tooBig(issue, value, inBody).flatMap(([reason, message]) => say(reason, message))
    case 'too_small':
      return invalid(`${inBody} should ${leastOf(issue.origin)} ${issue.minimum}${unitOf(issue.origin)}`)
    case 'invalid_format':
      return invalid(`${inBody} should match '${sourceOf(issue.pattern) ?? issue.format}'`)
    case 'invalid_union':
      return invalid(`${inBody} has none of the allowed forms`)
    default:
      return invalid(issue.message)
  }
}

function tooBig(issue: Issue & { code: 'too_big' }, value: unknown, inBody: string): [string, string][] {
  const { origin, maximum } = issue
  if (origin === 'string') return [['FieldValueTooLong', `Too long: may not be more than ${maximum} bytes`]]
  if (origin !== 'array')
    return [
      ['FieldValueInvalid', `Invalid value: ${shown(value)}: ${inBody} should be less than or equal to ${maximum}`],
    ]
  const count = Array.isArray(value) ? value.length : 0
  return [['FieldValueTooMany', `Too many: ${count}: must have at most ${maximum} items`]]
}

function leastOf(origin: string): string {
  if (origin === 'string') return 'be at least'
  return origin === 'array' ? 'have at least' : 'be greater than or equal to'
}

function unitOf(origin: string): string {
  return origin === 'string' ? ' chars long' : origin === 'array' ? ' items' : ''
}

/** `/^a$/` → `^a$`: a pattern as every other language writes it. */
function sourceOf(pattern: string | undefined): string | undefined {
  return pattern?.replace(/^\/(.*)\/[a-z]*$/s, '$1')
}

/**
 * What the decoder of a kind that Kubernetes builds in would say of the first value of a wrong type; undefined when all
 * have the right ones.
 */
export function decoderError(kind: Kind, issues: readonly Issue[], input: unknown): string | undefined {
  for (const issue of issues) {
    const path = issue.path as Path
    const value = valueAt(input, path)
    if (issue.code !== 'invalid_type' || value === undefined) continue
    const field = [kind.kind, ...path.filter((part) => typeof part === 'string')].join('.')
    return `json: cannot unmarshal ${decoded(value)} into Go struct field ${field} of type ${typeName(kind, issue)}`
  }
  return undefined
}

function decoded(value: unknown): string {
  const type = typeOf(value)
  return type === 'integer' ? 'number' : type === 'boolean' ? 'bool' : type
}

/** zod's type names → OpenAPI's, which is what users see in `kubectl explain`. */
function typeName(kind: Kind, { expected, path }: Issue & { code: 'invalid_type' }): string {
  if (expected === 'number' && schemaAt(schemaOf(kind), path as Path)?.type === 'integer') return 'integer'
  return ({ int: 'integer', record: 'object' } as Record<string, string>)[expected] ?? expected
}

function schemaAt(schema: JsonSchema | undefined, [part, ...rest]: Path): JsonSchema | undefined {
  if (part === undefined || schema === undefined) return schema
  if (typeof part === 'number') return schemaAt(schema.items, rest)
  const { properties = {}, additionalProperties: others } = schema
  const inner = Object.hasOwn(properties, part) ? properties[part] : typeof others === 'object' ? others : undefined
  return schemaAt(inner, rest)
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value
}

export function dotted(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  )
}

export function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      value !== null && typeof value === 'object' && Object.hasOwn(value, part)
        ? (value as Record<string, unknown>)[part]
        : undefined,
    input,
  )
}
