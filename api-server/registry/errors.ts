/** Every refusal the API gives, as the Kubernetes `Status` that clients know how to print (spec: Kubernetes API, §5). */
import { type Kind, qualifiedResource } from '../../crds/kind.ts'

export interface Cause {
  readonly reason: string
  readonly message: string
  readonly field: string
}

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly Cause[]
  readonly retryAfterSeconds?: number
}

export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: { readonly continue?: string }
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: string
  readonly details?: StatusDetails
  readonly code?: number
}

/** Thrown anywhere below http; its status goes to the client as it is. */
export class StatusError extends Error {
  readonly status: Status & { readonly code: number }
  constructor(code: number, reason: string, message: string, details?: StatusDetails, continueToken?: string) {
    super(message)
    const metadata = continueToken === undefined ? {} : { continue: continueToken }
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message,
      reason,
      ...(details && { details }),
      code,
    }
  }
}

type Named = Pick<Kind, 'group' | 'plural'>

const resourceDetails = (kind: Named, name?: string): StatusDetails => ({
  ...(name !== undefined && { name }),
  ...(kind.group !== '' && { group: kind.group }),
  kind: kind.plural,
})

export const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message)

export const unauthorized = (): StatusError => new StatusError(401, 'Unauthorized', 'Unauthorized')

export const forbidden = (message: string, kind?: Named, name?: string): StatusError =>
  new StatusError(403, 'Forbidden', message, kind && resourceDetails(kind, name))

export const notFound = (kind: Named, name: string): StatusError =>
  new StatusError(404, 'NotFound', `${qualifiedResource(kind)} "${name}" not found`, resourceDetails(kind, name))

export const noSuchPath = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {})

export const methodNotAllowed = (why?: string): StatusError => {
  const message = 'the server does not allow this method on the requested resource'
  return new StatusError(405, 'MethodNotAllowed', why === undefined ? message : `${message}: ${why}`, {})
}

export const notWhileEnding = (): StatusError =>
  new StatusError(405, 'MethodNotAllowed', 'create not allowed while custom resource definition is terminating', {})

export const alreadyExists = (kind: Named, name: string, deleting = false): StatusError =>
  new StatusError(
    409,
    'AlreadyExists',
    `${deleting ? 'object is being deleted: ' : ''}${qualifiedResource(kind)} "${name}" already exists`,
    resourceDetails(kind, name),
  )

export const conflict = (kind: Named, name: string, why?: string): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualifiedResource(kind)} "${name}": ${why ?? 'the object has been modified; please apply your changes to the latest version and try again'}`,
    resourceDetails(kind, name),
  )

export const expired = (message: string, continueToken?: string): StatusError =>
  new StatusError(410, 'Expired', message, undefined, continueToken)

export const entityTooLarge = (why: string): StatusError =>
  new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: ${why}`)

export const tooLarge = (limitBytes: number): StatusError => entityTooLarge(`limit is ${limitBytes}`)

export const unsupportedMediaType = (accepted: readonly string[]): StatusError =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  )

/** A body of 3 MiB can hold a million mistakes; who made them is told of the first. */
const MAX_CAUSES = 50

export const invalid = (kind: Kind, name: string, all: readonly Cause[]): StatusError => {
  const causes = all.slice(0, MAX_CAUSES)
  const list = causes.map((cause) => (cause.field === '' ? cause.message : `${cause.field}: ${cause.message}`))
  if (all.length > causes.length) list.push(`and ${all.length - causes.length} more`)
  const text = list.length > 1 ? `[${list.join(', ')}]` : (list[0] ?? '')
  const type = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`
  const details = { name, ...(kind.group !== '' && { group: kind.group }), kind: kind.kind, causes }
  return new StatusError(422, 'Invalid', `${type} "${name}" is invalid: ${text}`, details)
}

const MAX_SHOWN_LENGTH = 200

/** A value as an error message shows it: JSON, cut where it gets long. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, MAX_SHOWN_LENGTH + 1)) : JSON.stringify(value)
  const whole = text ?? 'null'
  return whole.length > MAX_SHOWN_LENGTH ? `${whole.slice(0, MAX_SHOWN_LENGTH)}…` : whole
}

export const invalidValue = (field: string, value: unknown, why: string): Cause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${shown(value)}: ${why}`,
  field,
})

export const unsupportedValue = (field: string, value: unknown, supported: readonly string[]): Cause => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${shown(value)}: supported values: ${supported.map((one) => `"${one}"`).join(', ')}`,
  field,
})

/** A 422 that is about the request, not about an object. */
export const invalidRequest = (message: string, causes: readonly Cause[] = []): StatusError =>
  new StatusError(422, 'Invalid', message, causes.length > 0 ? { causes } : {})

/** A 422 about what accompanies a request: `DeleteOptions` of `meta.k8s.io`, a review. */
export const invalidPart = (group: string, kind: string, causes: readonly Cause[]): StatusError => {
  const list = causes.map(({ field, message }) => `${field}: ${message}`)
  const text = list.length > 1 ? `[${list.join(', ')}]` : (list[0] ?? '')
  return new StatusError(422, 'Invalid', `${kind}.${group} "" is invalid: ${text}`, { group, kind, causes })
}

export type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions' | 'ListOptions'

export const invalidOptions = (kind: OptionsKind, ...causes: readonly Cause[]): StatusError =>
  invalidPart('meta.k8s.io', kind, causes)

export const forbiddenValue = (field: string, why: string): Cause => ({
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
  field,
})

export const tooLargeVersion = (asked: bigint, current: bigint): StatusError =>
  new StatusError(504, 'Timeout', `Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version', field: '' }],
    retryAfterSeconds: 1,
  })

export const tooManyRequests = (): StatusError =>
  new StatusError(429, 'TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds: 1 })

export const unavailable = (message: string): StatusError =>
  new StatusError(503, 'ServiceUnavailable', message, { retryAfterSeconds: 1 })

export const internal = (): StatusError =>
  new StatusError(500, 'InternalError', 'Internal error occurred; the server log has the details')
