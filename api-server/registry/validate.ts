/**
 * From a client's JSON to an object that may be stored: the schema (types, unknown fields, defaults), metadata rules,
 * the kind's own rules. Unknown and duplicate fields are refused, warned of or dropped, as `fieldValidation` says.
 */
import type { z } from 'zod'
import type { ApiObject, Kind, Violation } from '../../crds/kind.ts'
import { badRequest, type Cause, invalid, shown } from './errors.ts'
import { faultsOfLarge, type LargeFaults } from './large-faults.ts'
import { duplicatesIn } from './list-duplicates.ts'
import { checkMetadata, dropRepeatedOwners } from './names.ts'
import { causesOf, decoderError, dotted, valueAt } from './schema-causes.ts'

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

export interface Strictness {
  /** Warn unless given. */
  readonly fieldValidation?: FieldValidation
  /** Fields that the decoder met twice; settled together with unknown ones. */
  readonly strayFields?: readonly string[]
}

export interface Admitted {
  readonly object: ApiObject
  /** `unknown field "spec.bogus"`, `duplicate field "spec.content"`: what a Warning header says. */
  readonly warnings: readonly string[]
}

/**
 * The object to store: defaults filled, unknown fields removed (from `input`, too) and settled, every rule met. Throws
 * 400 for stray fields under Strict, else 422 with every cause.
 */
export function admit(
  kind: Kind,
  input: ApiObject,
  previous: ApiObject | undefined,
  { fieldValidation = 'Warn', strayFields = [] }: Strictness,
): Admitted {
  const { result, unknown } = parse(kind, input)
  const pruned = kind.structure?.prune(input).map((path) => `unknown field "${path}"`) ?? []
  const warnings = settle(kind, [...strayFields, ...unknown, ...pruned], fieldValidation)
  if (!result.success) throw malformed(kind, input, result.error.issues)
  const object = result.data as unknown as ApiObject
  kind.structure?.fillDefaults(object)
  const repeated = dropRepeatedOwners(object.metadata)
  const causes = checkMetadata(kind, object.metadata)
  // Our kinds' rules rely on the name; where it is wrong they could only say so again.
  if (kind.builtIn || !causes.some(({ field }) => field === 'metadata.name'))
    causes.push(...(kind.structure?.check(object, previous) ?? checkRules(kind, object, previous)))
  causes.push(...duplicatesIn(kind, object, previous))
  if (causes.length > 0) throw invalid(kind, nameOf(object), causes)
  return { object, warnings: [...warnings, ...repeated] }
}

/** Nobody reads on behind these, and an answer of megabytes would keep others waiting. */
const MAX_CAUSES = 1_000

/** Kubernetes reads its own kinds into Go structs: what does not fit in there is not even an object (400). */
function malformed(kind: Kind, input: ApiObject, issues: readonly Issue[]): Error {
  const undecodable = kind.builtIn ? decoderError(kind, issues, input) : undefined
  if (undecodable !== undefined)
    return badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${undecodable}`)
  return invalid(
    kind,
    nameOf(input),
    issues.slice(0, MAX_CAUSES).flatMap((issue) => causesOf(kind, issue, input)),
  )
}

/** Unknown fields hide nothing else: they are taken out and the rest is looked at again. */
function parse(kind: Kind, input: ApiObject) {
  const early: LargeFaults = kind.structure ? NO_FAULTS : faultsOfLarge(kind, input)
  if (early.missing.length > 0) throw invalid(kind, nameOf(input), early.missing.map(requiredValue))
  let unknown = early.strays.map((path) => `unknown field "${path}"`)
  let result = kind.schema.safeParse(input)
  for (let round = 0; !result.success && round < 2; round++) {
    const strays = result.error.issues.filter((issue) => issue.code === 'unrecognized_keys')
    if (strays.length === 0) break
    unknown = [...unknown, ...strays.flatMap((issue) => removeKeys(input, issue))]
    result = kind.schema.safeParse(input)
  }
  return { result, unknown }
}

const NO_FAULTS: LargeFaults = { strays: [], missing: [] }

function requiredValue(field: string): Cause {
  return { reason: 'FieldValueRequired', message: 'Required value', field }
}

function checkRules(kind: Kind, object: ApiObject, previous: ApiObject | undefined): Cause[] {
  const violations = kind.check?.(object, previous) ?? []
  return violations.map((violation) => {
    const { path, message, reason = 'FieldValueInvalid' }: Violation & { readonly reason?: string } = violation
    const value = 'value' in violation ? violation.value : valueAt(object, path)
    if (reason === 'Malformed')
      throw badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${message}`)
    return { reason, message: worded(reason, value, message), field: dotted(path) }
  })
}

/** A cause's message in Kubernetes' form: some show the value that is wrong, some could only repeat it. */
function worded(reason: string, value: unknown, message: string): string {
  const [words, showsValue] = WORDS.get(reason) ?? ['Invalid value', true]
  return [words, ...(showsValue ? [shown(value)] : []), ...(message === '' ? [] : [message])].join(': ')
}

const WORDS: ReadonlyMap<string, readonly [string, boolean]> = new Map([
  ['FieldValueInvalid', ['Invalid value', true]],
  ['FieldValueDuplicate', ['Duplicate value', true]],
  ['FieldValueNotFound', ['Not found', true]],
  ['FieldValueNotSupported', ['Unsupported value', true]],
  ['FieldValueForbidden', ['Forbidden', false]],
  ['FieldValueRequired', ['Required value', false]],
  ['FieldValueTooLong', ['Too long', false]],
])

const MAX_STRAYS = 50
const MAX_STRAY_LENGTH = 200

/** 400 under Strict, warnings under Warn, silence under Ignore. */
function settle(kind: Kind, strays: readonly string[], mode: FieldValidation): readonly string[] {
  if (strays.length === 0 || mode === 'Ignore') return []
  const told = strays
    .slice(0, MAX_STRAYS)
    .map((text) => (text.length > MAX_STRAY_LENGTH ? `${text.slice(0, MAX_STRAY_LENGTH)}…"` : text))
  if (mode === 'Warn') return told
  throw badRequest(
    `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${told.join(', ')}`,
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

function nameOf(object: ApiObject): string {
  return typeof object.metadata?.name === 'string' ? object.metadata.name : ''
}
