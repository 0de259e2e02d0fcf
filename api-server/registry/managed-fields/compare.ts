/** What differs between two states of an object, as sets of fields. */
import { EMPTY, type FieldSet, type FieldSetBuilder, insert, isEmpty } from './field-set.ts'
import { type DividedList, elementsOf, elementType } from './list-elements.ts'
import { type FieldMark, type FieldType, isMap, LEAF, type MapType, shapeOf } from './schema.ts'

export interface Comparison {
  /** Fields that were added or have another value. */
  readonly changed: FieldSet
  readonly removed: FieldSet
}

/** Neither object is changed. Cost is that of walking what differs, and one look at what does not. */
export function compare(type: MapType, before: unknown, after: unknown): Comparison {
  const walk: Walk = { path: [], changed: {}, removed: {} }
  compareMaps(walk, type, before, after)
  return walk
}

export function isNothing({ changed, removed }: Comparison): boolean {
  return isEmpty(changed) && isEmpty(removed)
}

interface Walk {
  readonly path: string[]
  readonly changed: FieldSetBuilder
  readonly removed: FieldSetBuilder
}

function compareAt(walk: Walk, element: string, type: FieldType, before: unknown, after: unknown, mark?: FieldMark) {
  walk.path.push(element)
  compareValues(walk, type, before, after, mark)
  walk.path.pop()
}

function compareValues(
  walk: Walk,
  type: FieldType,
  before: unknown,
  after: unknown,
  mark: FieldMark | undefined,
): void {
  if (before === after) return
  if (isOtherForm(before, after)) {
    compareValues(walk, type, before, undefined, mark)
    compareValues(walk, type, undefined, after, mark)
    return
  }
  const shape = shapeOf(type, after ?? before)
  if (shape.is === 'leaf' || shape.is === 'any' || (isBare(before) && isBare(after))) {
    compareLeaves(walk, before, after)
    return
  }
  if (shape.is === 'map') compareMaps(walk, shape, before, after)
  else compareLists(walk, shape, before, after)
  if (mark === 'kept') return
  if (before === undefined && mark !== 'struct') insert(walk.changed, walk.path)
  if (after === undefined) insert(walk.removed, walk.path)
}

function compareLeaves({ path, changed, removed }: Walk, before: unknown, after: unknown): void {
  if (after === undefined) insert(removed, path)
  else if (!sameJson(before, after)) insert(changed, path)
}

const NOTHING: Readonly<Record<string, unknown>> = {}

function compareMaps(walk: Walk, type: MapType, before: unknown, after: unknown): void {
  const [left, right] = [isMap(before) ? before : NOTHING, isMap(after) ? after : NOTHING]
  for (const key in left) compareField(walk, type, key, left[key], Object.hasOwn(right, key) ? right[key] : undefined)
  for (const key in right) if (!Object.hasOwn(left, key)) compareField(walk, type, key, undefined, right[key])
}

function compareField(walk: Walk, type: MapType, key: string, before: unknown, after: unknown): void {
  if (before === after) return
  const field = type.fields.get(key)
  if (field?.mark === 'ignored') return
  compareAt(walk, `f:${key}`, field?.type ?? type.elements ?? LEAF, before, after, field?.mark)
}

function compareLists(walk: Walk, type: DividedList, before: unknown, after: unknown): void {
  const [left, right] = [elementsOf(type, before).byElement, elementsOf(type, after).byElement]
  const inner = elementType(type)
  for (const [element, mine] of left) compareElement(walk, element, inner, mine, right.get(element) ?? [])
  for (const [element, theirs] of right) if (!left.has(element)) compareElement(walk, element, inner, [], theirs)
}

/** Duplicates are one thing, owned as a whole under the path that they share. */
function compareElement(
  walk: Walk,
  element: string,
  type: FieldType,
  before: readonly unknown[],
  after: readonly unknown[],
) {
  if (before.length <= 1 && after.length <= 1) compareAt(walk, element, type, before[0], after[0])
  else if (before.length > 1 && after.length > 1) compareAt(walk, element, LEAF, before, after)
  else if (before.length > 1) {
    compareAt(walk, element, LEAF, before, undefined)
    if (after.length > 0) compareAt(walk, element, type, undefined, after[0])
  } else {
    if (before.length > 0) compareAt(walk, element, type, before[0], undefined)
    compareAt(walk, element, LEAF, undefined, after)
  }
}

function isBare(value: unknown): boolean {
  if (value === undefined || value === null) return true
  if (typeof value !== 'object') return false
  for (const _ in value) return false
  return true
}

function isOtherForm(before: unknown, after: unknown): boolean {
  if (before === undefined || before === null || after === undefined || after === null) return false
  return formOf(before) !== formOf(after)
}

function formOf(value: unknown): 'list' | 'map' | 'scalar' {
  if (Array.isArray(value)) return 'list'
  return typeof value === 'object' ? 'map' : 'scalar'
}

/** Equality of JSON values; the order of keys does not count, undefined is absence. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, at) => sameJson(item, b[at]))
  if (Array.isArray(b)) return false
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>]
  for (const key in left) if (!sameJson(left[key], Object.hasOwn(right, key) ? right[key] : undefined)) return false
  for (const key in right) if (right[key] !== undefined && !Object.hasOwn(left, key)) return false
  return true
}

/** Everything in an object, as if it had just been made. */
export function allFields(type: MapType, object: unknown): FieldSet {
  return object === undefined ? EMPTY : compare(type, undefined, object).changed
}
