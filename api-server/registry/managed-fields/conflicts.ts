/** Fields that an apply wants to change and others manage: who, which, and the 409 that says so. */
import { type Cause, StatusError } from '../errors.ts'
import type { Entry } from './entries.ts'
import { difference, type FieldSet, intersection, isEmpty, pathsOf, showPath } from './field-set.ts'

export interface Conflict {
  readonly entry: Entry
  readonly fields: FieldSet
}

export function conflictsWith(others: readonly Entry[], changed: FieldSet): readonly Conflict[] {
  if (isEmpty(changed)) return []
  return others
    .map((entry) => ({ entry, fields: intersection(entry.fieldsV1, changed) }))
    .filter(({ fields }) => !isEmpty(fields))
}

/** What is left of `conflicts` when `allowed` fields are none. */
export function withoutFields(conflicts: readonly Conflict[], allowed: FieldSet): readonly Conflict[] {
  return conflicts
    .map(({ entry, fields }) => ({ entry, fields: difference(fields, allowed) }))
    .filter(({ fields }) => !isEmpty(fields))
}

export function conflictError(conflicts: readonly Conflict[]): StatusError {
  const sorted = conflicts
    .map(({ entry, fields }) => ({ manager: showManager(entry), paths: [...pathsOf(fields)].map(showPath) }))
    .sort((a, b) => (a.manager < b.manager ? -1 : 1))
  const causes = sorted.flatMap(({ manager, paths }) =>
    paths.map((field): Cause => ({ reason: 'FieldManagerConflict', message: `conflict with ${manager}`, field })),
  )
  return new StatusError(409, 'Conflict', messageOf(sorted, causes), { causes })
}

interface Listed {
  readonly manager: string
  readonly paths: readonly string[]
}

function messageOf(conflicts: readonly Listed[], causes: readonly Cause[]): string {
  const [only] = causes
  if (only !== undefined && causes.length === 1) return `Apply failed with 1 conflict: ${only.message}: ${only.field}`
  const lines = conflicts.flatMap(({ manager, paths }) => [
    `conflicts with ${manager}:`,
    ...paths.map((path) => `- ${path}`),
  ])
  return `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`
}

function showManager({ manager, operation, apiVersion, subresource }: Entry): string {
  const name = JSON.stringify(manager)
  const where = subresource ? `${name} with subresource ${JSON.stringify(subresource)}` : name
  return operation === 'Update' ? `${where} using ${apiVersion}` : where
}
