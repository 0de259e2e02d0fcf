/** DeleteOptions: in the body, in the query, or both; kubectl sends them without apiVersion and kind. */
import type { Propagation } from '../registry/deletion.ts'
import { badRequest, type Cause, invalidOptions, invalidValue, unsupportedValue } from '../registry/errors.ts'
import { isObject } from '../registry/patch/merge.ts'
import type { DeleteOptions } from '../registry/registry.ts'
import { parseDryRun } from './parameters.ts'

const POLICIES: readonly Propagation[] = ['Foreground', 'Background', 'Orphan']

/** Throws 400 for what has the wrong type, 422 for what has the wrong value: a precondition is never passed over. */
export function parseDeleteOptions(query: URLSearchParams, body: unknown): DeleteOptions {
  if (!isObject(body)) throw badRequest('DeleteOptions must be an object')
  checkType(body)
  const propagation = propagationOf(query, body)
  const graceSeconds = gracePeriod(body.gracePeriodSeconds ?? query.get('gracePeriodSeconds') ?? undefined)
  const dryRun = parseDryRun([...query.getAll('dryRun'), ...strings('dryRun', body.dryRun ?? [])], 'DeleteOptions')
  const preconditions = body.preconditions ?? {}
  if (!isObject(preconditions)) throw badRequest('DeleteOptions: preconditions must be an object')
  const uid = text('preconditions.uid', preconditions.uid)
  const resourceVersion = text('preconditions.resourceVersion', preconditions.resourceVersion)
  const named = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) }
  return { dryRun, graceSeconds, propagation, preconditions: named }
}

function checkType({ kind = 'DeleteOptions', apiVersion = '' }: Record<string, unknown>): void {
  if (kind !== 'DeleteOptions' || typeof apiVersion !== 'string')
    throw badRequest(`the object provided is unrecognized (must be of type DeleteOptions)`)
}

/** What becomes of dependents; undefined where the caller leaves it open. */
function propagationOf(query: URLSearchParams, body: Record<string, unknown>): Propagation | undefined {
  const field = 'propagationPolicy'
  const policy = body.propagationPolicy ?? query.get(field) ?? undefined
  const orphan = orphanDependents(query, body)
  const known = POLICIES.find((one) => one === policy)
  const causes: Cause[] = []
  if (policy !== undefined && orphan !== undefined)
    causes.push(invalidValue(field, policy, 'orphanDependents and deletionPropagation cannot be both set'))
  if (policy !== undefined && known === undefined) causes.push(unsupportedValue(field, policy, [...POLICIES, 'nil']))
  if (causes.length > 0) throw invalidOptions('DeleteOptions', ...causes)
  return orphan === undefined ? known : orphan ? 'Orphan' : 'Background'
}

/** The older way to say Orphan or Background. */
function orphanDependents(query: URLSearchParams, body: Record<string, unknown>): boolean | undefined {
  const said = body.orphanDependents ?? query.get('orphanDependents') ?? undefined
  if (said === undefined || typeof said === 'boolean') return said
  if (said === 'true' || said === 'false') return said === 'true'
  throw badRequest('DeleteOptions: orphanDependents must be true or false')
}

function gracePeriod(seconds: unknown): number | undefined {
  if (seconds === undefined) return undefined
  const count = typeof seconds === 'string' && /^-?\d{1,9}$/.test(seconds) ? Number(seconds) : seconds
  if (!Number.isInteger(count)) throw badRequest('DeleteOptions: gracePeriodSeconds must be a whole number')
  // As in Kubernetes, whose clients once said -1 for "at once".
  return Number(count) < 0 ? 1 : Number(count)
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
