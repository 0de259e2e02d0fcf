/** Elements of lists that are owned one by one: how each is told from the others. */
import { type FieldType, isMap, type KeyedList, LEAF } from './schema.ts'

export type DividedList = Extract<FieldType, { readonly is: 'list' | 'set' }>

export interface Elements {
  /** By path element, in the order of the list; more than one value where the element is there more than once. */
  readonly byElement: ReadonlyMap<string, readonly unknown[]>
  /** Elements that cannot be told apart, and what is wrong with each. */
  readonly strays: readonly unknown[]
  readonly problems: readonly string[]
}

export function elementsOf(type: DividedList, list: unknown): Elements {
  const byElement = new Map<string, unknown[]>()
  const strays: unknown[] = []
  const problems: string[] = []
  for (const [at, item] of (Array.isArray(list) ? list : []).entries()) {
    const element = elementOf(type, item)
    if (typeof element !== 'string') {
      strays.push(item)
      problems.push(`element ${at}: ${element.problem}`)
      continue
    }
    const others = byElement.get(element)
    if (others) others.push(item)
    else byElement.set(element, [item])
  }
  return { byElement, strays, problems }
}

/** The path element of a list's element, or why it has none. */
export function elementOf(type: DividedList, item: unknown): string | Problem {
  return type.is === 'set' ? valueElement(item) : keyedElement(type, item)
}

export function elementType(type: DividedList): FieldType {
  return type.is === 'set' ? LEAF : type.elements
}

type Problem = { readonly problem: string }

function valueElement(item: unknown): string | Problem {
  if (item === null || typeof item === 'object')
    return { problem: 'an element of a set must be a string, a number or a boolean' }
  return `v:${JSON.stringify(item)}`
}

function keyedElement({ keys }: KeyedList, item: unknown): string | Problem {
  if (!isMap(item)) return { problem: 'associative list with keys may not have non-map elements' }
  const parts: string[] = []
  for (const { name, default: fallback } of keys) {
    const value = Object.hasOwn(item, name) ? item[name] : fallback
    if (value === undefined || value === null)
      return {
        problem: `associative list with keys has an element that omits key field ${JSON.stringify(name)} (and doesn't have default value)`,
      }
    if (typeof value === 'object') return { problem: `key field ${JSON.stringify(name)} must be a scalar` }
    parts.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`)
  }
  return `k:{${parts.join(',')}}`
}
