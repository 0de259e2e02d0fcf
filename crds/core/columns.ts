/** Columns and cells that several built-in kinds share. Built-ins print `<none>` where a custom kind prints nothing. */
import type { ApiObject, Column } from '../kind.ts'

export const NONE = '<none>'

export const AGE: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since creation.',
}

/** Roles and definitions show the moment instead of the age. */
export const CREATED_AT: Column = {
  name: 'Created At',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'When it was created.',
  cell: ({ metadata }) => metadata.creationTimestamp ?? '<unknown>',
}

/** `app=web,tier=front`, as a selector is typed. */
export function labelsText(labels: unknown): string {
  const pairs = Object.entries((labels ?? {}) as Record<string, string>).sort(([a], [b]) => (a < b ? -1 : 1))
  return pairs.length === 0 ? NONE : pairs.map(([key, value]) => `${key}=${value}`).join(',')
}

export function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise
}

/** How many keys the maps at `fields` have together. */
export function countKeys(object: ApiObject, ...fields: readonly string[]): number {
  return fields.reduce((sum, field) => sum + Object.keys((object[field] ?? {}) as object).length, 0)
}
