/**
 * The difference between what was applied last, what is there, and what is wanted now, as a JSON merge patch. Fields
 * that somebody else has set stay; fields that were applied before and are wanted no more go. Pure.
 */
import { isDeepStrictEqual } from 'node:util'

export type Json = Readonly<Record<string, unknown>>

/** Undefined when nothing has to change. Lists are values: they are replaced as a whole. */
export function threeWayPatch(last: Json, current: Json, wanted: Json): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(wanted)) {
    // In a merge patch null means "remove": a wanted null is the same as nothing wanted.
    if (value === null) continue
    const change = difference(ownField(last, key), ownField(current, key), value)
    if (change !== undefined) put(patch, key, change)
  }
  for (const key of Object.keys(last))
    if (isAbsent(ownField(wanted, key)) && !isAbsent(ownField(current, key))) put(patch, key, null)
  return Object.keys(patch).length > 0 ? patch : undefined
}

function difference(last: unknown, current: unknown, wanted: unknown): unknown {
  if (isObject(wanted) && isObject(current)) return threeWayPatch(isObject(last) ? last : {}, current, wanted)
  return isDeepStrictEqual(current, wanted) ? undefined : wanted
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An own field only: a manifest may hold a key such as `constructor`. */
function ownField(owner: Json, key: string): unknown {
  return Object.hasOwn(owner, key) ? owner[key] : undefined
}

function put(owner: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(owner, key, { value, enumerable: true, writable: true, configurable: true })
}
