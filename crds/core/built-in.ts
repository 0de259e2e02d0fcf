/**
 * Kinds that are Kubernetes' own. Beside `defineKind` they share what their Go types make clients rely on: null means
 * absent everywhere, and a PUT that names no version overwrites.
 */
import type * as z from 'zod'
import { type ApiObject, defineKind, type Kind, type KindOptions } from '../kind.ts'

export type BuiltInOptions<Shape extends z.ZodRawShape> = Omit<KindOptions, 'fields' | 'builtIn'> & {
  readonly fields: Shape
}

/** No `metadata.generation` unless asked for: most of these kinds have nothing that is carried out later. */
export function defineBuiltIn<const Shape extends z.ZodRawShape>(options: BuiltInOptions<Shape>): Kind<Shape> {
  const { complete } = options
  return defineKind({
    generation: false,
    unconditionalUpdate: true,
    ...options,
    builtIn: true,
    complete: (object, previous) => {
      dropNulls(object)
      complete?.(object, previous)
    },
  })
}

function dropNulls(value: unknown): void {
  if (Array.isArray(value)) for (const element of value) dropNulls(element)
  else if (isRecord(value))
    for (const [field, inner] of Object.entries(value)) {
      if (inner === null) delete value[field]
      else dropNulls(inner)
    }
}

/** Narrows without judging: what is wrong with a value is the schema's to say, and `complete` runs before it. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** The member `field` of `owner` as an object, or undefined. */
export function recordAt(owner: unknown, field: string): Record<string, unknown> | undefined {
  const value = isRecord(owner) ? owner[field] : undefined
  return isRecord(value) ? value : undefined
}

/** The objects in the list at `field` of `owner`; anything else in it is passed over. */
export function recordsAt(owner: unknown, field: string): Record<string, unknown>[] {
  const value = isRecord(owner) ? owner[field] : undefined
  return Array.isArray(value) ? value.filter(isRecord) : []
}

/** Sets fields that are not there yet. */
export function fill(target: Record<string, unknown> | undefined, defaults: Readonly<Record<string, unknown>>): void {
  if (target === undefined) return
  for (const [field, value] of Object.entries(defaults)) if (target[field] === undefined) target[field] = value
}

export type Complete = (object: ApiObject, previous: ApiObject | undefined) => void
