/**
 * Strategic merge patch, for core kinds: lists that the schema keys merge by that key, the rest is replaced.
 * Directives: `$patch: delete|replace|merge`, `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>`, `$retainKeys`.
 */
import { badRequest } from '../errors.ts'
import { define, isObject } from './merge.ts'
import { fieldType, type MergeType, UNTYPED } from './merge-type.ts'

type Json = Record<string, unknown>

/** Neither `target` nor `patch` is changed. Throws 400 for a patch that `type` cannot be patched with. */
export function strategicPatch(target: unknown, patch: unknown, type: MergeType): unknown {
  if (!isObject(patch)) throw badRequest('a strategic merge patch must be an object')
  return mergeObjects(isObject(target) ? target : {}, patch, type)
}

function mergeObjects(target: Json, patch: Json, type: MergeType): Json {
  const { $patch: directive = 'merge' } = patch
  if (!['merge', 'replace', 'delete'].includes(String(directive)))
    throw badRequest(`unknown $patch directive ${JSON.stringify(directive)}: merge, replace and delete are known`)
  if (directive === 'replace' || (type.isReplaced && directive === 'merge')) return withoutDirectives(patch)
  if (directive === 'delete') return {}
  const result = retained(target, patch)
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith('$')) continue
    if (value === null) delete result[field]
    else
      define(
        result,
        field,
        mergeField(Object.hasOwn(result, field) ? result[field] : undefined, value, fieldType(type, field)),
      )
  }
  applyListDirectives(result, patch, type)
  return result
}

function retained(target: Json, patch: Json): Json {
  const keep = patch.$retainKeys
  if (!Array.isArray(keep)) return { ...target }
  return Object.fromEntries(Object.entries(target).filter(([field]) => keep.includes(field)))
}

function mergeField(current: unknown, value: unknown, type: MergeType): unknown {
  if (isObject(value)) return mergeObjects(isObject(current) ? current : {}, value, type)
  if (!Array.isArray(value)) return value
  const { mergeKey, elements = UNTYPED } = type
  if (mergeKey === undefined) return structuredClone(value)
  const list = Array.isArray(current) ? current : []
  return mergeKey === '' ? [...new Set([...list, ...value])] : mergeList(list, value, mergeKey, elements)
}

function mergeList(list: readonly unknown[], patch: readonly unknown[], key: string, elements: MergeType): unknown[] {
  if (patch.some((element) => isObject(element) && element.$patch === 'replace' && !(key in element)))
    return patch.filter((element) => isObject(element) && key in element)
  // What has no key is like nothing else, so it stands under a name of its own.
  const result = new Map<unknown, unknown>(list.map((element) => [identity(element, key) ?? Symbol(), element]))
  for (const element of patch) mergeElement(result, element, key, elements)
  return [...result.values()]
}

function mergeElement(list: Map<unknown, unknown>, element: unknown, key: string, type: MergeType): void {
  const id = identity(element, key)
  if (!isObject(element) || id === undefined)
    throw badRequest(`map: ${JSON.stringify(element)} does not contain declared merge key: ${key}`)
  const before = list.get(id)
  if (element.$patch === 'delete') list.delete(id)
  else list.set(id, mergeObjects(isObject(before) ? before : {}, element, type))
}

/** What an element of a keyed list is known by; a primitive, in a list that is a set, by itself. */
function identity(element: unknown, key: string): unknown {
  if (key === '') return element
  return isObject(element) && Object.hasOwn(element, key) ? element[key] : undefined
}

const LIST_DIRECTIVE = /^\$(deleteFromPrimitiveList|setElementOrder)\/(.+)$/

/** Removals first, whatever the order in the patch: an order speaks of what is left. */
function applyListDirectives(result: Json, patch: Json, type: MergeType): void {
  const directives = Object.entries(patch).sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [directive, values] of directives) {
    const [, name, field = ''] = LIST_DIRECTIVE.exec(directive) ?? []
    const list = Object.hasOwn(result, field) ? result[field] : undefined
    if (name === undefined || !Array.isArray(list) || !Array.isArray(values)) continue
    const gone = new Set<unknown>(values)
    result[field] =
      name === 'setElementOrder'
        ? inOrder(list, values, fieldType(type, field).mergeKey)
        : list.filter((value) => !gone.has(value))
  }
}

/** Elements that the order names come as it says; the others keep their places. */
function inOrder(list: readonly unknown[], order: readonly unknown[], key: string | undefined): readonly unknown[] {
  if (key === undefined) return list
  const rank = new Map(order.map((element, at) => [identity(element, key), at]))
  const rankOf = (element: unknown) => rank.get(identity(element, key))
  const named = list.filter((element) => rankOf(element) !== undefined)
  named.sort((a, b) => Number(rankOf(a)) - Number(rankOf(b)))
  const queue = named.values()
  return list.map((element) => (rankOf(element) === undefined ? element : queue.next().value))
}

function withoutDirectives(value: unknown): Json {
  const clean = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(clean)
    if (!isObject(one)) return one
    return Object.fromEntries(
      Object.entries(one)
        .filter(([field]) => !field.startsWith('$'))
        .map(([field, inner]) => [field, clean(inner)]),
    )
  }
  return clean(value) as Json
}
