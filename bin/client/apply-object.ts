/** One object made so: created, patched by the difference, or found as it should be. */
import { isApiError } from '../../controllers/lib/api-error.ts'
import type { ApiObject } from '../../crds/kind.ts'
import type { Api } from './api.ts'
import { lastApplied, withLastApplied } from './last-applied.ts'
import { collectionPath, objectPath, type ResourceType } from './resources.ts'
import { threeWayPatch } from './three-way.ts'

export interface ApplyOptions {
  /** The server checks everything and keeps nothing. */
  readonly dryRun: boolean
  readonly signal: AbortSignal
}
export interface Applied {
  readonly outcome: 'created' | 'configured' | 'unchanged'
  readonly warnings: readonly string[]
}

/** kubectl's own name: who mixes the tools sees one manager, not two in conflict. */
const FIELD_MANAGER = 'kubectl-client-side-apply'
const MAX_ATTEMPTS = 5

/** Rejects with ApiError where the server refuses. Safe to repeat. */
export async function applyObject(
  api: Api,
  type: ResourceType,
  object: ApiObject,
  options: ApplyOptions,
): Promise<Applied> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await applyOnce(api, type, withLastApplied(object), options)
    } catch (error) {
      // Somebody created, changed or removed it between our look and our write: look again.
      const isRace = isApiError(error, 409) || (isApiError(error, 404) && error.reason === 'NotFound')
      if (!isRace || attempt === MAX_ATTEMPTS || isNamespaceMissing(error, object)) throw error
    }
  }
}

function isNamespaceMissing(error: unknown, object: ApiObject): boolean {
  const { details } = ((error as { status?: unknown }).status ?? {}) as { details?: { kind?: string } }
  return details?.kind === 'namespaces' && object.kind !== 'Namespace'
}

async function applyOnce(api: Api, type: ResourceType, wanted: ApiObject, options: ApplyOptions): Promise<Applied> {
  const current = await find(api, type, wanted, options)
  if (current === undefined) return await create(api, type, wanted, options)
  const last = lastApplied(current)
  const patch = threeWayPatch(last ?? {}, current, wanted)
  const warnings = last === undefined ? [MADE_OTHERWISE] : []
  if (patch === undefined) return { outcome: 'unchanged', warnings }
  const answer = await api.request('PATCH', pathOf(type, wanted), {
    query: writeQuery(options),
    contentType: 'application/merge-patch+json',
    body: patch,
    signal: options.signal,
  })
  const changed = (answer.value as ApiObject).metadata.resourceVersion !== current.metadata.resourceVersion
  return {
    outcome: changed || options.dryRun ? 'configured' : 'unchanged',
    warnings: [...warnings, ...answer.warnings],
  }
}

const MADE_OTHERWISE = 'it was not made by apply: fields that the manifest does not name stay as they are'

async function find(
  api: Api,
  type: ResourceType,
  wanted: ApiObject,
  { signal }: ApplyOptions,
): Promise<ApiObject | undefined> {
  try {
    return (await api.request('GET', pathOf(type, wanted), { signal })).value as ApiObject
  } catch (error) {
    if (isApiError(error, 404)) return undefined
    throw error
  }
}

async function create(api: Api, type: ResourceType, wanted: ApiObject, options: ApplyOptions): Promise<Applied> {
  const path = collectionPath(type, wanted.metadata.namespace)
  const { warnings } = await api.request('POST', path, {
    query: writeQuery(options),
    body: wanted,
    signal: options.signal,
  })
  return { outcome: 'created', warnings }
}

function pathOf(type: ResourceType, { metadata }: ApiObject): string {
  return objectPath(type, metadata.name, metadata.namespace)
}

function writeQuery({ dryRun }: ApplyOptions) {
  return { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict', ...(dryRun && { dryRun: 'All' }) }
}
