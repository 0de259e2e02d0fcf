/**
 * Strategic merge patch, for core kinds: lists that the schema keys merge by that key, the rest is replaced.
 * Directives: `$patch: delete|replace|merge`, `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>`, `$retainKeys`.
 */
import { badRequest } from '../errors.ts'
import { define, isObject } from './merge.ts'

type Json = Record<string, unknown>

/** Merge keys by field name: unambiguous over the kinds we serve. `''` marks a list of primitives that is a set. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  imagePullSecrets: 'name',
  hostAliases: 'ip',
  secrets: 'name',
  taints: 'key',
  conditions: 'type',
  addresses: 'type',
  ownerReferences: 'uid',
  finalizers: '',
}

/** `ports` are keyed by what the elements are: container ports, or a Service's. */
function mergeKeyOf(field: string, elements: readonly unknown[]): string | undefined {
  if (field !== 'ports') return MERGE_KEYS[field]
  return elements.some((element) => isObject(element) && 'containerPort' in element) ? 'containerPort' : 'port'
}

export function strategicPatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) throw badRequest('a strategic merge patch must be an object')
  return mergeObjects(isObject(target) ? target : {}, patch)
}

function mergeObjects(target: Json, patch: Json): Json {
  if (patch.$patch === 'replace') return withoutDirectives(patch)
  if (patch.$patch === 'delete') return {}
  const result = retained(target, patch)
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith('$')) continue
    if (value === null) delete result[field]
    else
      define(result, field, mergeField(field, Object.hasOwn(result, field) ? result[field] : undefined, value, patch))
  }
  removePrimitives(result, patch)
  return result
}

function retained(target: Json, patch: Json): Json {
  const keep = patch.$retainKeys
  if (!Array.isArray(keep)) return { ...target }
  return Object.fromEntries(Object.entries(target).filter(([field]) => keep.includes(field)))
}

function mergeField(field: string, current: unknown, value: unknown, patch: Json): unknown {
  if (isObject(value)) return mergeObjects(isObject(current) ? current : {}, value)
  if (!Array.isArray(value)) return value
  const key = mergeKeyOf(field, value)
  if (key === undefined) return value
  const list = Array.isArray(current) ? current : []
  if (key === '') return [...new Set([...list, ...value])]
  return inOrder(mergeList(list, value, key), patch[`$setElementOrder/${field}`], key)
}

function mergeList(list: readonly unknown[], patch: readonly unknown[], key: string): unknown[] {
  if (patch.some((element) => isObject(element) && element.$patch === 'replace' && !(key in element)))
    return patch.filter((element) => isObject(element) && key in element)
  const result = [...list]
  for (const element of patch) mergeElement(result, element, key)
  return result
}

function mergeElement(list: unknown[], element: unknown, key: string): void {
  if (!isObject(element) || !(key in element))
    throw badRequest(`map: ${JSON.stringify(element)} does not contain declared merge key: ${key}`)
  const at = list.findIndex((one) => isObject(one) && one[key] === element[key])
  const before = at < 0 ? {} : list[at]
  if (element.$patch !== 'delete')
    list.splice(at < 0 ? list.length : at, 1, mergeObjects(isObject(before) ? before : {}, element))
  else if (at >= 0) list.splice(at, 1)
}

/** Elements that the order names come as it says; the others keep their place behind the one they followed. */
function inOrder(list: unknown[], order: unknown, key: string): unknown[] {
  if (!Array.isArray(order)) return list
  const rank = new Map(order.map((element, at) => [isObject(element) ? element[key] : element, at]))
  const named = list.filter((element) => isObject(element) && rank.has(element[key]))
  named.sort((a, b) => Number(rank.get((a as Json)[key])) - Number(rank.get((b as Json)[key])))
  const queue = named.values()
  return list.map((element) => (isObject(element) && rank.has(element[key]) ? queue.next().value : element))
}

function removePrimitives(result: Json, patch: Json): void {
  for (const [directive, values] of Object.entries(patch)) {
    const field = /^\$deleteFromPrimitiveList\/(.+)$/.exec(directive)?.[1]
    const list = field === undefined ? undefined : result[field]
    if (field !== undefined && Array.isArray(list) && Array.isArray(values))
      result[field] = list.filter((value) => !values.includes(value))
  }
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
