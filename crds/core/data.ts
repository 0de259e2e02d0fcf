/** Rules that ConfigMap and Secret share. */
import { isDeepStrictEqual } from 'node:util'
import type { ApiObject, Violation } from '../kind.ts'
import { configKey } from './names.ts'

const MAX_BYTES = 1024 * 1024

function mapAt(object: ApiObject, field: string): Record<string, string> {
  return (object[field] ?? {}) as Record<string, string>
}

export function checkDataKeys(object: ApiObject, fields: readonly string[]): Violation[] {
  return fields.flatMap((field) =>
    Object.keys(mapAt(object, field)).flatMap((key) => {
      const message = configKey(key)
      return message === undefined ? [] : [{ path: [`${field}[${key}]`], value: key, message }]
    }),
  )
}

export function checkSize(object: ApiObject, fields: readonly string[]): Violation[] {
  const bytes = fields
    .flatMap((field) => Object.values(mapAt(object, field)))
    .reduce((sum, value) => sum + Buffer.byteLength(value), 0)
  const message = `may not be more than ${MAX_BYTES} bytes`
  return bytes > MAX_BYTES ? [{ path: [fields[0] ?? ''], message, reason: 'FieldValueTooLong' }] : []
}

const FROZEN = 'field is immutable when `immutable` is set'

/** Once immutable, neither the data nor that it is so may change. */
export function checkImmutable(
  object: ApiObject,
  previous: ApiObject | undefined,
  fields: readonly string[],
): Violation[] {
  if (previous?.immutable !== true) return []
  const thawed = object.immutable === true ? [] : ['immutable']
  const changed = fields.filter((field) => !isDeepStrictEqual(mapAt(object, field), mapAt(previous, field)))
  return [...thawed, ...changed].map((field) => ({ path: [field], message: FROZEN, reason: 'FieldValueForbidden' }))
}
