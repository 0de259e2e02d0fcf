/** Query parameters, each checked once, with the wording of its 400. */
import type { Kind } from '../../crds/kind.ts'
import type { Filter } from '../registry/entry.ts'
import { badRequest, type Cause, invalidRequest } from '../registry/errors.ts'
import type { ListOptions } from '../registry/list.ts'
import { parseFieldSelector, parseLabelSelector } from '../registry/selectors.ts'
import type { FieldValidation } from '../registry/validate.ts'
import { isTrue, type ResourceRequest } from './request-info.ts'

export function parseVersion(text: string | null): bigint | undefined {
  if (text === null || text === '' || text === '0') return undefined
  if (!/^\d{1,19}$/.test(text))
    throw badRequest(`Invalid value: ${JSON.stringify(text)}: resourceVersion must be a number`)
  return BigInt(text)
}

function parseCount(name: string, text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  if (!/^\d{1,9}$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax of parameter ${name}`)
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

function checkMatch(version: string | null, match: string | null): void {
  if (!match) return
  const field = 'resourceVersionMatch'
  const refuse = (cause: Cause) =>
    invalidRequest(`ListOptions.meta.k8s.io "" is invalid: ${field}: ${cause.message}`, [cause])
  if (!version) throw refuse(forbidden(field, 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
  if (match !== 'Exact' && match !== 'NotOlderThan')
    throw refuse({
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan"`,
      field,
    })
  if (match === 'Exact' && version === '0')
    throw refuse(forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
}

export interface WatchParameters {
  readonly filter: Filter
  readonly after: bigint | undefined
  readonly bookmarks: boolean
  readonly initialEventsEnd: boolean
  readonly timeoutMs: number
}

const MIN_WATCH_MS = 30 * 60_000

export function parseWatch(query: URLSearchParams, request: ResourceRequest): WatchParameters {
  const initial = query.get('sendInitialEvents')
  const bookmarks = isTrue(query.get('allowWatchBookmarks'))
  if (initial !== null) checkInitialEvents(query, bookmarks)
  const timeoutSeconds = parseCount('timeoutSeconds', query.get('timeoutSeconds'))
  return {
    filter: parseFilter(query, request.kind, request),
    after: isTrue(initial) ? undefined : parseVersion(query.get('resourceVersion')),
    bookmarks,
    initialEventsEnd: isTrue(initial) && bookmarks,
    timeoutMs: timeoutSeconds ? timeoutSeconds * 1000 : MIN_WATCH_MS * (1 + Math.random()),
  }
}

function checkInitialEvents(query: URLSearchParams, bookmarks: boolean): void {
  const match = query.get('resourceVersionMatch')
  if (match === 'NotOlderThan' && (bookmarks || query.get('sendInitialEvents') !== 'true')) return
  const cause = forbidden('sendInitialEvents', 'needs resourceVersionMatch=NotOlderThan and allowWatchBookmarks=true')
  throw invalidRequest(`ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: ${cause.message}`, [cause])
}

export interface WriteParameters {
  readonly dryRun: boolean
  readonly fieldValidation: FieldValidation
}

export function parseWrite(query: URLSearchParams): WriteParameters {
  const fieldValidation = query.get('fieldValidation') || 'Warn'
  if (!isFieldValidation(fieldValidation))
    throw invalidRequest(
      `fieldValidation: Unsupported value: ${JSON.stringify(fieldValidation)}: supported values: "Ignore", "Strict", "Warn"`,
      [
        {
          reason: 'FieldValueNotSupported',
          message: `Unsupported value: ${JSON.stringify(fieldValidation)}`,
          field: 'fieldValidation',
        },
      ],
    )
  return { dryRun: parseDryRun(query.getAll('dryRun')), fieldValidation }
}

/** `All` is the only dry run there is; it may be given more than once, in the query or in DeleteOptions. */
export function parseDryRun(values: readonly string[]): boolean {
  const bad = values.find((value) => value !== 'All' && value !== '')
  if (bad !== undefined)
    throw invalidRequest(`dryRun: Unsupported value: ${JSON.stringify(bad)}: supported values: "All"`, [
      {
        reason: 'FieldValueNotSupported',
        message: `Unsupported value: ${JSON.stringify(bad)}: supported values: "All"`,
        field: 'dryRun',
      },
    ])
  return values.includes('All')
}

function isFieldValidation(text: string): text is FieldValidation {
  return text === 'Strict' || text === 'Warn' || text === 'Ignore'
}
