/**
 * A bad request and its whole refusal: the code and every word of the Status. The answers are put together here from
 * what Kubernetes documents, not from the server's own code, so that a slip there shows.
 */
import type { Ask } from '../api-raw.ts'

export type Who = 'admin' | 'anonymous' | 'alice' | 'editor' | 'viewer'

export interface Cause {
  readonly reason: string
  readonly message: string
  readonly field: string
}

export interface Refusal {
  readonly code: number
  readonly reason: string
  readonly message: string | RegExp
  /** Undefined: there are none. */
  readonly details?: object
}

export interface Row extends Omit<Ask, 'as'> {
  readonly title: string
  /** `POST /api/v1/namespaces`. */
  readonly ask: string
  readonly as?: Who
  readonly refused: Refusal
}

type Rest = Omit<Row, 'title' | 'ask' | 'refused'>

export function row(title: string, ask: string, rest: Rest, refused: Refusal): Row {
  return { title, ask, ...rest, refused }
}

/** The same answer to many requests. */
export function rows(asks: readonly string[], refused: Refusal, rest: Rest = {}): Row[] {
  return asks.map((ask) =>
    row(ask.slice(0, 90), ask, { ...(/^(POST|PUT|PATCH)/.test(ask) && { body: {} }), ...rest }, refused),
  )
}

export const bad = (message: string | RegExp): Refusal => ({ code: 400, reason: 'BadRequest', message })

/** What cannot be read as an object at all. */
export const unreadable = (type: string, why: RegExp | string): Refusal => {
  const text = typeof why === 'string' ? why.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : why.source
  return bad(new RegExp(`^the object provided is unrecognized \\(must be of type ${type}\\): ${text}`))
}

export const undecodable = (kind: string, why: string, version = 'v1'): Refusal =>
  bad(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`)

export const strict = (kind: string, ...strays: string[]): Refusal =>
  undecodable(kind, `strict decoding error: ${strays.join(', ')}`)

/** `Unit.flotilla.dev` or `ConfigMap`. */
type QualifiedKind = string

function split(qualified: string): { readonly kind: string; readonly group: string } {
  const at = qualified.indexOf('.')
  return at < 0 ? { kind: qualified, group: '' } : { kind: qualified.slice(0, at), group: qualified.slice(at + 1) }
}

/** 422 about an object. */
export function invalid(qualified: QualifiedKind, name: string, ...causes: readonly Cause[]): Refusal {
  const { kind, group } = split(qualified)
  const list = causes.map(({ field, message }) => `${field}: ${message}`)
  const text = list.length > 1 ? `[${list.join(', ')}]` : list[0]
  const details = { name, ...(group && { group }), kind, causes }
  return { code: 422, reason: 'Invalid', message: `${qualified} "${name}" is invalid: ${text}`, details }
}

/** 422 about what comes along with a request: its options, a review. */
export function invalidPart(qualified: QualifiedKind, ...causes: readonly Cause[]): Refusal {
  const { name: _name, ...details } = invalid(qualified, '', ...causes).details as { name: string }
  return { ...invalid(qualified, '', ...causes), details }
}

const cause = (reason: string, words: string, field: string, why: string): Cause => ({
  reason,
  message: why === '' ? words : `${words}: ${why}`,
  field,
})
export const required = (field: string, why = '') => cause('FieldValueRequired', 'Required value', field, why)
export const forbidden = (field: string, why: string) => cause('FieldValueForbidden', 'Forbidden', field, why)
export const tooLong = (field: string, bytes: number) =>
  cause('FieldValueTooLong', 'Too long', field, `may not be more than ${bytes} bytes`)
export const wrong = (field: string, value: unknown, why: string) =>
  cause('FieldValueInvalid', `Invalid value: ${JSON.stringify(value)}`, field, why)
export const duplicate = (field: string, value: unknown) =>
  cause('FieldValueDuplicate', `Duplicate value: ${JSON.stringify(value)}`, field, '')
export const missing = (field: string, value: unknown) =>
  cause('FieldValueNotFound', `Not found: ${JSON.stringify(value)}`, field, '')
export const unsupported = (field: string, value: unknown, ...supported: string[]) =>
  cause(
    'FieldValueNotSupported',
    `Unsupported value: ${JSON.stringify(value)}`,
    field,
    `supported values: ${supported.map((one) => JSON.stringify(one)).join(', ')}`,
  )
export const typed = (field: string, was: string, type: string) =>
  cause('FieldValueTypeInvalid', `Invalid value: "${was}"`, field, `${field} in body must be of type ${type}: "${was}"`)
export const tooMany = (field: string, count: number, most: number) =>
  cause('FieldValueTooMany', `Too many: ${count}`, field, `must have at most ${most} items`)

/** `units.flotilla.dev` or `configmaps`. */
function about(resource: string, name?: string): object {
  const { kind, group } = split(resource)
  return { ...(name !== undefined && { name }), ...(group && { group }), kind }
}

export const notFound = (resource: string, name: string): Refusal => ({
  code: 404,
  reason: 'NotFound',
  message: `${resource} "${name}" not found`,
  details: about(resource, name),
})
export const NO_PATH: Refusal = {
  code: 404,
  reason: 'NotFound',
  message: 'the server could not find the requested resource',
  details: {},
}
export const NOT_ALLOWED: Refusal = {
  code: 405,
  reason: 'MethodNotAllowed',
  message: 'the server does not allow this method on the requested resource',
  details: {},
}
export const exists = (resource: string, name: string, before = ''): Refusal => ({
  code: 409,
  reason: 'AlreadyExists',
  message: `${before}${resource} "${name}" already exists`,
  details: about(resource, name),
})
export const conflict = (resource: string, name: string, why: string | RegExp = MODIFIED): Refusal => {
  const start = `Operation cannot be fulfilled on ${resource} "${name}": `
  const message = typeof why === 'string' ? start + why : new RegExp(`^${start.replaceAll('.', '\\.')}${why.source}$`)
  return { code: 409, reason: 'Conflict', message, details: about(resource, name) }
}
const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again'

export const mayNot = (resource: string, name: string | undefined, message: string | RegExp): Refusal => ({
  code: 403,
  reason: 'Forbidden',
  message,
  details: about(resource, name),
})
export const UNAUTHORIZED: Refusal = { code: 401, reason: 'Unauthorized', message: 'Unauthorized' }

export const tooLarge = (why: string): Refusal => ({
  code: 413,
  reason: 'RequestEntityTooLarge',
  message: `Request entity too large: ${why}`,
})
export const media = (...accepted: string[]): Refusal => ({
  code: 415,
  reason: 'UnsupportedMediaType',
  message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
})
/** 422 for a patch that could be read and cannot be carried out. */
export const rejected = (why: string): Refusal => ({
  code: 422,
  reason: 'Invalid',
  message: `the server rejected our request due to an error in our request: JSON patch: ${why}`,
  details: {},
})
