/** Query parameters, each checked once, with the wording of its 400. */
import type { Kind } from '../../crds/kind.ts'
import type { Filter } from '../registry/entry.ts'
import {
  badRequest,
  type Cause,
  forbiddenValue,
  invalidOptions,
  type OptionsKind,
  shown,
  unsupportedValue,
} from '../registry/errors.ts'
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

/** As Go reads a number of 64 bits, and in its words; what is below zero counts as none. */
function parseCount(text: string | null): number | undefined {
  if (text === null || text === '') return undefined
  const wrong = (why: string) => badRequest(`strconv.ParseInt: parsing ${shown(text)}: ${why}`)
  if (!/^[-+]?\d+$/.test(text)) throw wrong('invalid syntax')
  if (text.length > MAX_DIGITS || BigInt.asIntN(64, BigInt(text)) !== BigInt(text)) throw wrong('value out of range')
  return Math.max(0, Number(text))
}

/** Longer ones are out of range, or nothing but zeros. */
const MAX_DIGITS = 40

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

export function parseListOptions(query: URLSearchParams, request: ResourceRequest): ListOptions {
  const text = query.get('resourceVersion')
  const match = query.get('resourceVersionMatch')
  const continueToken = query.get('continue') || undefined
  refuse(matchCauses(text, match, continueToken))
  if (query.has('sendInitialEvents'))
    refuse([forbiddenValue('sendInitialEvents', 'sendInitialEvents is forbidden for list')])
  if (continueToken && text && text !== '0')
    throw badRequest('specifying resource version is not allowed when using continue')
  return {
    ...parseFilter(query, request.kind, request),
    limit: parseCount(query.get('limit')),
    continueToken,
    version: parseVersion(text),
    exact: match === 'Exact',
  }
}

function refuse(causes: readonly Cause[]): void {
  if (causes.length > 0) throw invalidOptions('ListOptions', ...causes)
}

const MATCH = 'resourceVersionMatch'
const MATCH_CONTINUE = forbiddenValue(MATCH, 'resourceVersionMatch is forbidden when continue is provided')

function matchCauses(version: string | null, match: string | null, continueToken: string | undefined): Cause[] {
  if (!match) return []
  const causes: Cause[] = []
  const forbid = (why: string) => causes.push(forbiddenValue(MATCH, why))
  if (!version) forbid('resourceVersionMatch is forbidden unless resourceVersion is provided')
  if (continueToken) causes.push(MATCH_CONTINUE)
  if (match !== 'Exact' && match !== 'NotOlderThan')
    causes.push(unsupportedValue(MATCH, match, ['Exact', 'NotOlderThan', '']))
  if (match === 'Exact' && version === '0') forbid('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
  return causes
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
  refuse(initialEventsCauses(initial, query.get('resourceVersionMatch') || undefined, bookmarks))
  if (query.get('resourceVersionMatch') && query.get('continue')) refuse([MATCH_CONTINUE])
  const timeoutSeconds = parseCount(query.get('timeoutSeconds'))
  const version = parseVersion(query.get('resourceVersion'))
  return {
    filter: parseFilter(query, request.kind, request),
    after: initial === undefined ? version : isTrue(initial) ? undefined : (version ?? 'now'),
    bookmarks,
    initialEventsEnd: isTrue(initial ?? null),
    timeoutMs: timeoutSeconds ? Math.min(timeoutSeconds * 1000, MAX_WATCH_MS) : MIN_WATCH_MS * (1 + Math.random()),
  }
}

function initialEventsCauses(initial: string | undefined, match: string | undefined, bookmarks: boolean): Cause[] {
  const causes: Cause[] = []
  const forbid = (field: string, why: string) => causes.push(forbiddenValue(field, why))
  if (initial !== undefined && match !== 'NotOlderThan')
    forbid(MATCH, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  if (initial === undefined && match !== undefined)
    forbid(MATCH, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  if (match !== undefined && match !== 'NotOlderThan') causes.push(unsupportedValue(MATCH, match, ['NotOlderThan']))
  // Their end is told by a bookmark, which this watcher would never see.
  if (isTrue(initial ?? null) && !bookmarks)
    forbid('sendInitialEvents', 'sendInitialEvents requires setting allowWatchBookmarks')
  return causes
}

export interface WriteParameters {
  readonly dryRun: boolean
  readonly fieldValidation: FieldValidation
}

export function parseWrite(query: URLSearchParams, options: OptionsKind): WriteParameters {
  const fieldValidation = query.get('fieldValidation') || 'Warn'
  if (!isFieldValidation(fieldValidation))
    throw invalidOptions(
      options,
      unsupportedValue('fieldValidation', fieldValidation, ['', 'Ignore', 'Strict', 'Warn']),
    )
  return { dryRun: parseDryRun(query.getAll('dryRun'), options), fieldValidation }
}

/** `All` is the only dry run there is; it may be given more than once, in the query or in DeleteOptions. */
export function parseDryRun(values: readonly string[], options: OptionsKind): boolean {
  const isBad = values.some((value) => value !== 'All' && value !== '')
  if (isBad) throw invalidOptions(options, unsupportedValue('dryRun', values, ['All']))
  return values.includes('All')
}

function isFieldValidation(text: string): text is FieldValidation {
  return text === 'Strict' || text === 'Warn' || text === 'Ignore'
}
