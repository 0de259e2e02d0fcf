/** Query parameters, each checked once, with the wording of its 400. */
import type { Kind } from '../../crds/kind.ts'
import type { Filter } from '../registry/entry.ts'
import { badRequest, type Cause, invalidRequest, shown, unsupportedValue } from '../registry/errors.ts'
import type { ListOptions } from '../registry/list.ts'
import { parseFieldSelector, parseLabelSelector } from '../registry/selectors.ts'
import type { FieldValidation } from '../registry/validate.ts'
import { isTrue, type ResourceRequest } from './request-info.ts'

/** Undefined for what means "any": absent, empty, 0. Throws 400. */
export function parseVersion(text: string | null): bigint | undefined {
  if (text === null || text === '' || text === '0') return undefined
  if (!/^\d{1,19}$/.test(text)) throw badRequest(`Invalid value: ${shown(text)}: resourceVersion must be a number`)
  return BigInt(text)
}

function parseCount(name: string, text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  if (!/^\d{1,10}$/.test(text)) throw badRequest(`parameter ${name}: ${shown(text)} is no whole number`)
  return Number(text)
}

export function parseFilter(query: URLSearchParams, kind: Kind, { namespace, name }: ResourceRequest): Filter {
  const labels = query.get('labelSelector')
  const fields = query.get('fieldSelector')
  const byName = name === undefined ? [] : [{ path: 'metadata.name', value: name, equal: true }]
  return {
    namespace,
    labels: labels ? parseLabelSelector(labels) : undefined,
    fields: [...byName, ...(fields ? parseFieldSelector(fields, kind) : [])],
  }
}

const forbidden = (field: string, why: string): Cause => ({
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
  field,
})

export function parseListOptions(query: URLSearchParams, request: ResourceRequest): ListOptions {
  const text = query.get('resourceVersion')
  const match = query.get('resourceVersionMatch')
  const continueToken = query.get('continue') || undefined
  checkMatch(text, match)
  if (query.has('sendInitialEvents'))
    throw refuse(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  if (continueToken && text && text !== '0')
    throw badRequest('specifying resource version is not allowed when using continue')
  return {
    ...parseFilter(query, request.kind, request),
    limit: parseCount('limit', query.get('limit')),
    continueToken,
    version: parseVersion(text),
    exact: match === 'Exact',
  }
}

const refuse = (cause: Cause) =>
  invalidRequest(`ListOptions.meta.k8s.io "" is invalid: ${cause.field}: ${cause.message}`, [cause])

function checkMatch(version: string | null, match: string | null): void {
  if (!match) return
  const field = 'resourceVersionMatch'
  if (!version) throw refuse(forbidden(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
  if (match !== 'Exact' && match !== 'NotOlderThan')
    throw refuse(unsupportedValue(field, match, ['Exact', 'NotOlderThan']))
  if (match === 'Exact' && version === '0')
    throw refuse(forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
}

export interface WatchParameters {
  readonly filter: Filter
  /** Changes after this version; `now`: from here on; undefined: what there is first. */
  readonly after: bigint | 'now' | undefined
  readonly bookmarks: boolean
  readonly initialEventsEnd: boolean
  readonly timeoutMs: number
}

const MIN_WATCH_MS = 30 * 60_000
/** Whoever asks for longer watches again after a day; a timer holds little more than three weeks. */
const MAX_WATCH_MS = 24 * 3_600_000

export function parseWatch(query: URLSearchParams, request: ResourceRequest): WatchParameters {
  const initial = query.get('sendInitialEvents') || undefined
  const bookmarks = isTrue(query.get('allowWatchBookmarks'))
  checkInitialEvents(initial, query.get('resourceVersionMatch') || undefined, bookmarks)
  const timeoutSeconds = parseCount('timeoutSeconds', query.get('timeoutSeconds'))
  const version = parseVersion(query.get('resourceVersion'))
  return {
    filter: parseFilter(query, request.kind, request),
    after: initial === undefined ? version : isTrue(initial) ? undefined : (version ?? 'now'),
    bookmarks,
    initialEventsEnd: isTrue(initial ?? null),
    timeoutMs: timeoutSeconds ? Math.min(timeoutSeconds * 1000, MAX_WATCH_MS) : MIN_WATCH_MS * (1 + Math.random()),
  }
}

function checkInitialEvents(initial: string | undefined, match: string | undefined, bookmarks: boolean): void {
  if (initial === undefined) {
    if (match === undefined) return
    const why = 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'
    throw refuse(forbidden('resourceVersionMatch', why))
  }
  if (match === 'NotOlderThan' && (bookmarks || !isTrue(initial))) return
  throw refuse(forbidden('sendInitialEvents', 'needs resourceVersionMatch=NotOlderThan and allowWatchBookmarks=true'))
}

export interface WriteParameters {
  readonly dryRun: boolean
  readonly fieldValidation: FieldValidation
}

export function parseWrite(query: URLSearchParams): WriteParameters {
  const fieldValidation = query.get('fieldValidation') || 'Warn'
  if (!isFieldValidation(fieldValidation))
    throw refused(unsupportedValue('fieldValidation', fieldValidation, ['Ignore', 'Strict', 'Warn']))
  return { dryRun: parseDryRun(query.getAll('dryRun')), fieldValidation }
}

/** `All` is the only dry run there is; it may be given more than once, in the query or in DeleteOptions. */
export function parseDryRun(values: readonly string[]): boolean {
  const bad = values.find((value) => value !== 'All' && value !== '')
  if (bad !== undefined) throw refused(unsupportedValue('dryRun', bad, ['All']))
  return values.includes('All')
}

const refused = (cause: Cause) => invalidRequest(`${cause.field}: ${cause.message}`, [cause])

function isFieldValidation(text: string): text is FieldValidation {
  return text === 'Strict' || text === 'Warn' || text === 'Ignore'
}
