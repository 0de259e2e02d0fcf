/**
 * Unknown fields of large objects. A body of 3 MiB can hold 100 000 of them, each in an item of its own; zod makes an error
 * of each, and a process is busy for seconds with them. Here they only go, and the first are told.
 */
import type { JsonSchema } from '../../crds/json-schema.ts'
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { dotted, schemaOf } from './schema-causes.ts'

/** Smaller objects have not enough values to do harm, and are most there are. */
const MIN_VALUES = 5_000
/** Nobody is told of more. */
const MAX_TOLD = 100

/** Removes, in place, what the kind's schema does not know of a large object; of others nothing. Gives the first paths. */
export function removeStraysOfLarge(kind: Kind, input: ApiObject): string[] {
  const strays: string[] = []
  if (hasAtLeast(input, MIN_VALUES)) walk(input, schemaOf(kind), [], strays)
  return strays
}

type Path = (string | number)[]

function walk(value: unknown, schema: JsonSchema | undefined, path: Path, strays: string[]): void {
  if (schema === undefined || value === null || typeof value !== 'object') return
  if (Array.isArray(value)) for (const [at, item] of value.entries()) inside(item, schema.items, at)
  else walkObject(value as Record<string, unknown>, schema)

  function inside(one: unknown, known: JsonSchema | undefined, step: string | number): void {
    path.push(step)
    walk(one, known, path, strays)
    path.pop()
  }
  function walkObject(object: Record<string, unknown>, { properties, additionalProperties }: JsonSchema): void {
    const free = typeof additionalProperties === 'object' ? additionalProperties : undefined
    for (const [key, one] of Object.entries(object)) {
      const known = properties && Object.hasOwn(properties, key) ? properties[key] : free
      if (known !== undefined) inside(one, known, key)
      else if (properties !== undefined) {
        delete object[key]
        if (strays.length < MAX_TOLD) strays.push(dotted([...path, key]))
      }
    }
  }
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
