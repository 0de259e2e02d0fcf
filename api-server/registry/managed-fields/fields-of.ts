/** The fields that an applied configuration speaks of: what its manager owns from then on. */
import { type FieldSet, type FieldSetBuilder, insert, showElement, showPath } from './field-set.ts'
import { type DividedList, elementsOf, elementType } from './list-elements.ts'
import { type FieldType, isMap, type MapType, shapeOf } from './schema.ts'

export interface Fields {
  readonly set: FieldSet
  /** Elements of lists that cannot be told apart: `.spec.env: duplicate entries for key [name="a"]`. */
  readonly problems: readonly string[]
}

interface Walk {
  readonly path: string[]
  readonly set: FieldSetBuilder
  readonly problems: string[]
}

export function fieldsOf(type: MapType, value: unknown): Fields {
  const walk: Walk = { path: [], set: {}, problems: [] }
  if (isMap(value)) walkMap(walk, type, value)
  return walk
}

function walkValue(walk: Walk, type: FieldType, value: unknown): void {
  const shape = shapeOf(type, value)
  if (shape.is === 'map') walkMap(walk, shape, isMap(value) ? value : {})
  else if (shape.is === 'list' || shape.is === 'set') walkList(walk, shape, value)
  else insert(walk.set, walk.path)
}

function walkMap(walk: Walk, type: MapType, value: Readonly<Record<string, unknown>>): void {
  for (const [key, inner] of Object.entries(value)) {
    const field = type.fields.get(key)
    const innerType = field?.type ?? type.elements
    // A field that the schema does not know is refused or dropped elsewhere; nobody owns it.
    if (innerType === undefined || field?.mark === 'ignored' || inner === undefined) continue
    walk.path.push(`f:${key}`)
    walkValue(walk, innerType, inner)
    const isBare = inner === null || (isMap(inner) && Object.keys(inner).length === 0)
    if ((isBare && field?.mark !== 'kept') || field === undefined) insert(walk.set, walk.path)
    walk.path.pop()
  }
}

function walkList(walk: Walk, type: DividedList, value: unknown): void {
  const { byElement, problems } = elementsOf(type, value)
  const here = showPath(walk.path)
  for (const problem of problems) walk.problems.push(`${here}: ${problem}`)
  for (const [element, items] of byElement) {
    if (items.length > 1) walk.problems.push(`${here}: duplicate entries for key ${showElement(element)}`)
    walk.path.push(element)
    if (items.length === 1) walkValue(walk, elementType(type), items[0])
    insert(walk.set, walk.path)
    walk.path.pop()
  }
}
