/**
 * From a client's JSON to an object that may be stored: the schema (types, unknown fields, defaults), metadata rules,
 * the kind's own rules. Unknown and duplicate fields are refused, warned of or dropped, as `fieldValidation` says.
 */
import type { z } from 'zod'
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { badRequest, type Cause, invalid } from './errors.ts'
import { checkMetadata } from './names.ts'

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

export interface Checked {
  readonly object: ApiObject
  /** `unknown field "spec.bogus"`, `duplicate field "spec.content"`: what a Warning header says. */
  readonly strayFields: readonly string[]
}

/** Runs the schema: defaults filled, unknown fields removed and named. Throws 422 with every cause. */
export function checkSchema(kind: Kind, input: ApiObject): Checked {
  let result = kind.schema.safeParse(input)
  const strays: string[] = []
  // Unknown fields hide nothing else: they are taken out and the rest is looked at again.
  for (let round = 0; !result.success && round < 2; round++) {
    const unknown = result.error.issues.filter((issue) => issue.code === 'unrecognized_keys')
    if (unknown.length === 0) break
    for (const issue of unknown) strays.push(...removeKeys(input, issue))
    result = kind.schema.safeParse(input)
  }
  if (!result.success)
    throw invalid(
      kind,
      nameOf(input),
      result.error.issues.flatMap((issue) => causesOf(issue, input)),
    )
  return { object: result.data as unknown as ApiObject, strayFields: strays }
}

/** Rules beyond the schema. Throws 422. */
export function checkRules(kind: Kind, object: ApiObject, previous: ApiObject | undefined): void {
  const causes = checkMetadata(kind, object.metadata)
  for (const { path, message, reason } of kind.check?.(object, previous) ?? []) {
    const text =
      reason === 'FieldValueForbidden'
        ? `Forbidden: ${message}`
        : `Invalid value: ${show(valueAt(object, path))}: ${message}`
    causes.push({ reason: reason ?? 'FieldValueInvalid', message: text, field: dotted(path) })
  }
  if (causes.length > 0) throw invalid(kind, nameOf(object), causes)
}

/** 400 under Strict, warnings under Warn, silence under Ignore. */
export function settleStrayFields(kind: Kind, strays: readonly string[], mode: FieldValidation): readonly string[] {
  if (strays.length === 0 || mode === 'Ignore') return []
  if (mode === 'Warn') return strays
  throw badRequest(
    `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${strays.join(', ')}`,
  )
}

type Issue = z.core.$ZodIssue

function removeKeys(input: unknown, issue: Issue & { code: 'unrecognized_keys' }): string[] {
  const parent = valueAt(input, issue.path as (string | number)[])
  return issue.keys.map((key) => {
    if (parent !== null && typeof parent === 'object') delete (parent as Record<string, unknown>)[key]
    return `unknown field "${dotted([...(issue.path as (string | number)[]), key])}"`
  })
}

function causesOf(issue: Issue, input: unknown): Cause[] {
  const path = issue.path as (string | number)[]
  const field = dotted(path)
  const value = valueAt(input, path)
  const inBody = field === '' ? 'body' : `${field} in body`
  const say = (reason: string, message: string): Cause[] => [{ reason, message, field }]
  if (value === undefined) return say('FieldValueRequired', 'Required value')
  switch (issue.code) {
    case 'invalid_type':
      return say(
        'FieldValueTypeInvalid',
        `Invalid value: "${typeOf(value)}": ${inBody} must be of type ${article(issue.expected)}: "${typeOf(value)}"`,
      )
    case 'invalid_value':
      return say(
        'FieldValueNotSupported',
        `Unsupported value: ${show(value)}: supported values: ${issue.values.map((one) => JSON.stringify(one)).join(', ')}`,
      )
    case 'too_big':
      return say(
        'FieldValueInvalid',
        `Invalid value: ${show(value)}: ${inBody} should be ${bound(issue.origin, 'at most', 'less than or equal to', issue.maximum)}`,
      )
    case 'too_small':
      return say(
        'FieldValueInvalid',
        `Invalid value: ${show(value)}: ${inBody} should be ${bound(issue.origin, 'at least', 'greater than or equal to', issue.minimum)}`,
      )
    case 'invalid_format':
      return say(
        'FieldValueInvalid',
        `Invalid value: ${show(value)}: ${inBody} should match '${issue.pattern ?? issue.format}'`,
      )
    case 'invalid_union':
      return say('FieldValueInvalid', `Invalid value: ${show(value)}: ${inBody} has none of the allowed forms`)
    default:
      return say('FieldValueInvalid', `Invalid value: ${show(value)}: ${issue.message}`)
  }
}

function bound(origin: string, count: string, compare: string, limit: number | bigint): string {
  if (origin === 'string') return `${count} ${limit} chars long`
  return origin === 'array' ? `${count} ${limit} items` : `${compare} ${limit}`
}

/** zod's type names → OpenAPI's, which is what users see in `kubectl explain`. */
function article(expected: string): string {
  return ({ int: 'integer', record: 'object', number: 'number' } as Record<string, string>)[expected] ?? expected
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value
}

const MAX_SHOWN_LENGTH = 200

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null'
  return text.length > MAX_SHOWN_LENGTH ? `${text.slice(0, MAX_SHOWN_LENGTH)}…` : text
}

export function dotted(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  )
}

function valueAt(input: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[part] : undefined,
    input,
  )
}

function nameOf(object: ApiObject): string {
  return typeof object.metadata?.name === 'string' ? object.metadata.name : ''
}
