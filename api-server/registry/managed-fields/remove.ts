/** An object without some of its fields, and the fields that its manager gave up. */
import { define } from '../patch/merge.ts'
import { below, difference, type FieldSet, has, intersection, isEmpty, union } from './field-set.ts'
import { fieldsOf } from './fields-of.ts'
import { elementOf, elementType } from './list-elements.ts'
import { type FieldType, isMap, LEAF, type MapType, shapeOf } from './schema.ts'

/** `value` is not changed; what is left untouched is shared. A map or list that loses all it had stays, empty. */
export function removeFields(type: FieldType, value: unknown, gone: FieldSet): unknown {
  if (isEmpty(gone)) return value
  const shape = shapeOf(type, value)
  if (shape.is === 'map' && isMap(value)) return removeFromMap(shape, value, gone)
  if ((shape.is !== 'list' && shape.is !== 'set') || !Array.isArray(value)) return value
  return value.flatMap((item) => {
    const element = elementOf(shape, item)
    if (typeof element !== 'string') return [item]
    return has(gone, element) ? [] : [removeFields(elementType(shape), item, below(gone, element))]
  })
}

function removeFromMap(type: MapType, value: Readonly<Record<string, unknown>>, gone: FieldSet): unknown {
  const result: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) {
    const element = `f:${key}`
    if (has(gone, element)) continue
    const innerType = type.fields.get(key)?.type ?? type.elements ?? LEAF
    define(result, key, removeFields(innerType, inner, below(gone, element)))
  }
  return result
}

/**
 * `merged` without what the manager owned last time, names no longer, and nobody else owns. A struct none of whose
 * fields is owned any more goes as a whole, with the defaults in it.
 */
export function prune(type: MapType, merged: unknown, last: FieldSet, owned: FieldSet): unknown {
  if (isEmpty(last)) return merged
  const given = withParents(type, last)
  const all = withParents(type, fieldsOf(type, merged).set)
  const fieldsLeft = (value: unknown) => withParents(type, fieldsOf(type, value).set)
  const first = removeFields(type, merged, given)
  const keep = union(fieldsLeft(first), withParents(type, owned))
  const second = removeFields(type, merged, difference(all, keep))
  return removeFields(type, merged, intersection(difference(all, fieldsLeft(second)), given))
}

/** The set with every declared field that has owned fields below it, except those that are never removed. */
function withParents(type: FieldType, set: FieldSet): FieldSet {
  const result: Record<string, FieldSet> = {}
  const shape = type.is === 'any' ? undefined : type
  for (const element in set) {
    if (element === '.') continue
    const field = shape?.is === 'map' ? shape.fields.get(element.slice(2)) : undefined
    const innerType = innerTypeOf(type, element)
    const inner = withParents(innerType, below(set, element))
    const isPath = has(set, element) || (field !== undefined && field.mark !== 'kept')
    result[element] = isPath && !isEmpty(inner) ? { '.': {}, ...inner } : inner
  }
  return result
}

function innerTypeOf(type: FieldType, element: string): FieldType {
  if (type.is === 'map') return type.fields.get(element.slice(2))?.type ?? type.elements ?? LEAF
  return type.is === 'list' ? type.elements : type
}
