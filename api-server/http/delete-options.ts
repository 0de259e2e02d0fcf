/** DeleteOptions: in the body, in the query, or both; kubectl sends them without apiVersion and kind. */
import { badRequest, type Cause, invalidRequest, invalidValue, unsupportedValue } from '../registry/errors.ts'
import { isObject } from '../registry/patch/merge.ts'
import type { DeleteOptions } from '../registry/registry.ts'
import { parseDryRun } from './parameters.ts'

const POLICIES = ['Orphan', 'Background', 'Foreground']

/** Throws 400 for what has the wrong type, 422 for what has the wrong value: a precondition is never passed over. */
export function parseDeleteOptions(query: URLSearchParams, body: unknown): DeleteOptions {
  if (!isObject(body)) throw badRequest('DeleteOptions must be an object')
  checkType(body)
  checkPolicy(body.propagationPolicy ?? query.get('propagationPolicy') ?? undefined)
  const graceSeconds = gracePeriod(body.gracePeriodSeconds ?? query.get('gracePeriodSeconds') ?? undefined)
  const dryRun = parseDryRun([...query.getAll('dryRun'), ...strings('dryRun', body.dryRun ?? [])])
  const preconditions = body.preconditions ?? {}
  if (!isObject(preconditions)) throw badRequest('DeleteOptions: preconditions must be an object')
  const uid = text('preconditions.uid', preconditions.uid)
  const resourceVersion = text('preconditions.resourceVersion', preconditions.resourceVersion)
  return { dryRun, graceSeconds, preconditions: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) } }
}

function checkType({ kind = 'DeleteOptions', apiVersion = '' }: Record<string, unknown>): void {
  if (kind !== 'DeleteOptions' || typeof apiVersion !== 'string')
    throw badRequest(`the object provided is unrecognized (must be of type DeleteOptions)`)
}

function checkPolicy(policy: unknown): void {
  if (policy !== undefined && !POLICIES.includes(String(policy)))
    throw refuse(unsupportedValue('propagationPolicy', policy, [...POLICIES, 'nil']))
}

function gracePeriod(seconds: unknown): number | undefined {
  if (seconds === undefined) return undefined
  const count = typeof seconds === 'string' && /^-?\d{1,9}$/.test(seconds) ? Number(seconds) : seconds
  if (!Number.isInteger(count)) throw badRequest('DeleteOptions: gracePeriodSeconds must be a whole number')
  if (Number(count) < 0) throw refuse(invalidValue('gracePeriodSeconds', count, 'must be greater than or equal to 0'))
  return Number(count)
}

function refuse(cause: Cause): Error {
  return invalidRequest(`DeleteOptions.meta.k8s.io "" is invalid: ${cause.field}: ${cause.message}`, [cause])
}

function text(field: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw badRequest(`DeleteOptions: ${field} must be a string`)
  return value
}

function strings(field: string, value: unknown): string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  throw badRequest(`DeleteOptions: ${field} must be a list of strings`)
}
