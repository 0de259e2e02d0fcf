/**
 * ajv's errors → the causes of kube-apiserver, word for word (kube-openapi's validation/errors and apiextensions'
 * validation.go of 1.32). What a junctor's branches say is told as there: for anyOf and oneOf the branch that came
 * closest, for allOf every branch, for `not` none; and then the junctor's own sentence, on no field.
 */
import type { ErrorObject } from 'ajv'
import type { JsonSchema } from '../../../crds/json-schema.ts'
import { type Cause, invalidValue, shown, unsupportedValue } from '../../registry/errors.ts'

/** How apimachinery prints a path that is not there. */
export const NO_FIELD = '<nil>'

/** `errors` are those of ajv, told all or told first, for one value. */
export function causesOf(errors: readonly ErrorObject[], subject: Subject): Cause[] {
  return tell(errors.map(located), 0, subject)
}

/** An error, the steps through the schema that led to it, and how many of them the junctors told so far took. */
interface Located {
  readonly error: ErrorObject
  readonly steps: readonly string[]
}

export interface Subject {
  readonly root: unknown
  /** Where the value lies in its object. */
  readonly path: string
  /** What ajv compiled. */
  readonly schema: JsonSchema
}

/** Where an error's way leads into a junctor. */
interface Crossing {
  readonly kind: string
  /** Index of the junctor's name among the steps. */
  readonly at: number
  /** How much of the instance path lies before it. */
  readonly inValue: number
}

const located = (error: ErrorObject): Located => ({ error, steps: segments(error.schemaPath.slice(1)) })

function segments(pointer: string): string[] {
  const decoded = (one: string) => decodeURIComponent(one).replaceAll('~1', '/').replaceAll('~0', '~')
  return pointer.split('/').slice(1).map(decoded)
}

const DATA_STEPS: ReadonlySet<string> = new Set(['properties', 'items', 'additionalProperties'])
const JUNCTORS: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf'])

/** The first junctor at or after step `from`; names of properties are stepped over, whatever they are. */
function crossing(steps: readonly string[], from: number): Crossing | undefined {
  let inValue = 0
  for (let at = 0; at < steps.length; at++) {
    const step = steps[at] ?? ''
    if (JUNCTORS.has(step)) {
      if (at >= from) return { kind: step, at, inValue }
      at++
    }
    if (DATA_STEPS.has(step)) inValue++
    if (step === 'properties') at++
  }
  return undefined
}

function tell(errors: readonly Located[], from: number, subject: Subject): Cause[] {
  const groups = new Map<string, { readonly into: Crossing; readonly inside: Located[] }>()
  const causes: Cause[] = []
  for (const one of errors) {
    const into = crossing(one.steps, from)
    if (!into) causes.push(causeOf(one, subject))
    else {
      const key = JSON.stringify([one.steps.slice(0, into.at + 1), pathTo(one, into)])
      const group = groups.get(key)
      if (group) group.inside.push(one)
      else groups.set(key, { into, inside: [one] })
    }
  }
  for (const { into, inside } of groups.values()) causes.push(...tellJunctor(into, inside, subject))
  return causes
}

/** What lies in a schema at the end of some steps. */
const at = (schema: unknown, steps: readonly string[]): unknown =>
  steps.reduce((below, step) => (below as Record<string, unknown> | undefined)?.[step], schema)

const pathTo = ({ error }: Located, { inValue }: Crossing): string =>
  error.instancePath
    .split('/')
    .slice(0, inValue + 1)
    .join('/')

function tellJunctor(into: Crossing, inside: readonly Located[], subject: Subject): Cause[] {
  const [first] = inside
  const text = first ? fieldOf(pathTo(first, into), subject).text : ''
  const own = inside.find(({ steps }) => steps.length === into.at + 1)?.error
  const branches = branchesOf(inside, into.at + 1)
  const told = into.kind === 'allOf' ? [...branches.values()].flat() : closest(branches, own)
  const sentence = `${JSON.stringify(text)} ${junctorSentence(into, own, failedAll(branches.size, first, into, subject))}`
  return [...tell(told, into.at + 2, subject), onNoField(sentence)]
}

function junctorSentence({ kind }: Crossing, own: ErrorObject | undefined, none: boolean): string {
  if (kind === 'anyOf') return 'must validate at least one schema (anyOf)'
  if (kind === 'allOf') return `must validate all the schemas (allOf)${none ? '. None validated' : ''}`
  const passing: unknown = own?.params.passingSchemas
  const found = Array.isArray(passing) ? `Found ${passing.length} valid alternatives` : 'Found none valid'
  return `must validate one and only one schema (oneOf). ${found}`
}

function failedAll(failed: number, first: Located | undefined, { at: into }: Crossing, { schema }: Subject): boolean {
  const options = first && at(schema, first.steps.slice(0, into + 1))
  return Array.isArray(options) && options.length === failed
}

function branchesOf(inside: readonly Located[], at: number): Map<string, Located[]> {
  const branches = new Map<string, Located[]>()
  for (const one of inside) {
    const branch = one.steps[at]
    const known = branch === undefined ? undefined : branches.get(branch)
    if (known) known.push(one)
    else if (branch !== undefined) branches.set(branch, [one])
  }
  return branches
}

/** The branch with the fewest errors, the first of equals; none where too many branches passed. */
function closest(branches: ReadonlyMap<string, readonly Located[]>, own: ErrorObject | undefined): readonly Located[] {
  if (Array.isArray(own?.params.passingSchemas)) return []
  let best: readonly Located[] = []
  for (const branch of branches.values()) if (best.length === 0 || branch.length < best.length) best = branch
  return best
}

const onNoField = (message: string): Cause => ({ ...invalidValue(NO_FIELD, '', message), field: NO_FIELD })

function causeOf({ error, steps }: Located, subject: Subject): Cause {
  const { text, value } = fieldOf(error.instancePath, subject)
  const keyword = (name: string) => at(subject.schema, [...steps.slice(0, -1), name])
  const inBody = text === '' ? 'body' : `${text} in body`
  const { limit } = error.params
  switch (error.keyword) {
    case 'type':
      return typeCause(text, `${inBody} must be of type ${keyword('x-type')}`, typeName(value))
    case 'format':
      return typeCause(text, `${inBody} must be of type ${keyword('x-format')}`, value)
    case 'required':
      return {
        reason: 'FieldValueRequired',
        message: 'Required value',
        field: fieldBelow(text, error.params.missingProperty),
      }
    case 'enum':
      return unsupportedValue(text, value, (error.params.allowedValues as unknown[]).map(plain))
    case 'maxLength':
      return tooLong(text, limit)
    case 'maxItems':
    case 'maxProperties':
      return tooMany(text, sizeOf(value), limit)
    case 'not':
      return onNoField(`${JSON.stringify(text)} must not validate the schema (not)`)
    case 'minItems':
    case 'minProperties':
      return invalidValue(text, sizeOf(value), `${inBody} ${should(error)}`)
    default:
      return invalidValue(text, value, `${inBody} ${should(error)}`)
  }
}

function should({ keyword, params: { limit, multipleOf, pattern } }: ErrorObject): string {
  switch (keyword) {
    case 'maximum':
      return `should be less than or equal to ${limit}`
    case 'exclusiveMaximum':
      return `should be less than ${limit}`
    case 'minimum':
      return `should be greater than or equal to ${limit}`
    case 'exclusiveMinimum':
      return `should be greater than ${limit}`
    case 'multipleOf':
      return `should be a multiple of ${multipleOf}`
    case 'minLength':
      return `should be at least ${limit} chars long`
    case 'minItems':
      return `should have at least ${limit} items`
    case 'minProperties':
      return `should have at least ${limit} properties`
    case 'pattern':
      return `should match '${pattern}'`
    default:
      return `satisfy ${keyword}`
  }
}

const typeCause = (field: string, sentence: string, seen: unknown): Cause => ({
  reason: 'FieldValueTypeInvalid',
  message: `Invalid value: ${shown(seen)}: ${sentence}: ${shown(seen)}`,
  field,
})

function tooLong(field: string, limit: number): Cause {
  const bytes = limit === 1 ? 'byte' : 'bytes'
  return { reason: 'FieldValueTooLong', message: `Too long: may not be more than ${limit} ${bytes}`, field }
}

function tooMany(field: string, size: number, limit: number): Cause {
  const items = limit === 1 ? 'item' : 'items'
  return { reason: 'FieldValueTooMany', message: `Too many: ${size}: must have at most ${limit} ${items}`, field }
}

const sizeOf = (value: unknown): number => (Array.isArray(value) ? value.length : Object.keys(value ?? {}).length)

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

/** A JSON pointer → `spec.list[0].name`, and what lies there. */
function fieldOf(pointer: string, { root, path }: Subject): { text: string; value: unknown } {
  let [text, value] = [path, root]
  for (const escaped of pointer.split('/').slice(1)) {
    const key = escaped.replaceAll('~1', '/').replaceAll('~0', '~')
    text = Array.isArray(value) ? `${text}[${key}]` : fieldBelow(text, key)
    value = (value as Record<string, unknown>)[key]
  }
  return { text, value }
}

export const fieldBelow = (text: string, key: string): string => (text === '' ? key : `${text}.${key}`)
