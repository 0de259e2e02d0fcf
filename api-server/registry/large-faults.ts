/**
 * What is unknown or missing in large objects. A body of 3 MiB can hold 100 000 such faults, each in an item of its own; zod
 * makes an error of each, and a process is busy for seconds with them. Here the first are told.
 */
import type { JsonSchema } from '../../crds/json-schema.ts'
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { dotted, schemaOf } from './schema-causes.ts'

/** Smaller objects have not enough values to do harm, and are most there are. */
const MIN_VALUES = 5_000
/** Nobody is told of more. */
const MAX_TOLD = 100

export interface LargeFaults {
  /** Paths of the first fields that the kind's schema does not know. All of them are gone from the object. */
  readonly strays: string[]
  /** Paths of the first fields that must be there and are not, where these are too many to look any further. */
  readonly missing: readonly string[]
}

/** Removes, in place, what the kind's schema does not know of a large object; in others nothing is looked for. */
export function faultsOfLarge(kind: Kind, input: ApiObject): LargeFaults {
  const strays: string[] = []
  const missing: string[] = []
  if (hasAtLeast(input, MIN_VALUES)) walk(input, schemaOf(kind), { path: [], strays, missing })
  return { strays, missing: missing.length < MAX_TOLD ? [] : missing }
}

interface Walk {
  readonly path: (string | number)[]
  readonly strays: string[]
  readonly missing: string[]
}

function walk(value: unknown, schema: JsonSchema | undefined, to: Walk): void {
  if (schema === undefined || value === null || typeof value !== 'object') return
  if (Array.isArray(value)) for (let at = 0; at < value.length; at++) inside(value[at], schema.items, at, to)
  else walkObject(value as Record<string, unknown>, schema, to)
}

function walkObject(object: Record<string, unknown>, schema: JsonSchema, to: Walk): void {
  const { properties, additionalProperties, required = [] } = schema
  const free = typeof additionalProperties === 'object' ? additionalProperties : undefined
  for (const name of required)
    if (to.missing.length < MAX_TOLD && object[name] === undefined) to.missing.push(dotted([...to.path, name]))
  for (const key in object) {
    const known = properties && Object.hasOwn(properties, key) ? properties[key] : free
    if (known !== undefined) inside(object[key], known, key, to)
    else if (properties !== undefined) {
      delete object[key]
      if (to.strays.length < MAX_TOLD) to.strays.push(dotted([...to.path, key]))
    }
  }
}

function inside(one: unknown, known: JsonSchema | undefined, step: string | number, to: Walk): void {
  if (one === null || typeof one !== 'object') return
  to.path.push(step)
  walk(one, known, to)
  to.path.pop()
}

/** Counts no further than it must. */
function hasAtLeast(value: unknown, most: number): boolean {
  const pending = [value]
  for (let count = 0; pending.length > 0; count++) {
    const one = pending.pop()
    const inside = one !== null && typeof one === 'object' ? Object.values(one) : []
    if (count + pending.length + inside.length >= most) return true
    for (const each of inside) pending.push(each)
  }
  return false
}
