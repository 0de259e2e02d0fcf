/** x-kubernetes-list-type: a set holds nothing twice, a map no two items with the same keys. */
import { type Cause, invalidValue, shown } from '../../registry/errors.ts'
import { childOf } from './defaults.ts'
import type { SchemaNode } from './node.ts'

export function checkLists(value: unknown, node: SchemaNode, path: string, causes: Cause[]): void {
  if (!hasLists(node)) return
  if (Array.isArray(value)) checkList(value, node, path, causes)
  else if (value !== null && typeof value === 'object')
    for (const [key, inside] of Object.entries(value)) {
      const child = childOf(node, key)
      const below = node.properties.has(key) ? (path === '' ? key : `${path}.${key}`) : `${path}[${key}]`
      if (child) checkLists(inside, child, below, causes)
    }
}

const known = new WeakMap<SchemaNode, boolean>()

/** Most of a schema has no such list anywhere below; that is found out once. */
function hasLists(node: SchemaNode): boolean {
  const before = known.get(node)
  if (before !== undefined) return before
  const below = [...node.properties.values(), node.items, node.additional]
  const found = node.listType === 'set' || node.listType === 'map' || below.some((one) => isNode(one) && hasLists(one))
  known.set(node, found)
  return found
}

const isNode = (one: SchemaNode | true | undefined): one is SchemaNode => one !== undefined && one !== true

function checkList(list: unknown[], node: SchemaNode, path: string, causes: Cause[]): void {
  if (node.listType === 'set') tellTwins(list, path, causes)
  else if (node.listType === 'map') checkMapList(list, node, path, causes)
  const { items } = node
  if (items && hasLists(items)) for (const [i, item] of list.entries()) checkLists(item, items, `${path}[${i}]`, causes)
}

function checkMapList(list: readonly unknown[], node: SchemaNode, path: string, causes: Cause[]): void {
  const stray = list.findIndex((item) => item !== null && (typeof item !== 'object' || Array.isArray(item)))
  if (stray >= 0) {
    const why = 'must be an object for an array of list-type map'
    causes.push(invalidValue(`${path}[${stray}]`, list[stray], why))
    return
  }
  const keys = list.map((item) => keysOf(item as Record<string, unknown> | null, node.listMapKeys))
  tellTwins(keys, path, causes)
}

function keysOf(item: Record<string, unknown> | null, names: readonly string[]): Record<string, unknown> {
  const present = names.filter((name) => item !== null && Object.hasOwn(item, name))
  return Object.fromEntries(present.map((name) => [name, item?.[name]]))
}

/** Tells of the second of equals, once, as Kubernetes does. */
function tellTwins(list: readonly unknown[], path: string, causes: Cause[]): void {
  const times = new Map<string, number>()
  for (const [i, item] of list.entries()) {
    const text = canonical(item)
    const before = times.get(text) ?? 0
    times.set(text, before + 1)
    if (before !== 1) continue
    const field = `${path}[${i}]`
    causes.push({ reason: 'FieldValueDuplicate', message: `Duplicate value: ${shown(item)}`, field })
  }
}

/** One text for equal values: keys in order. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inside) =>
    inside !== null && typeof inside === 'object' && !Array.isArray(inside)
      ? Object.fromEntries(Object.entries(inside).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inside,
  )
}
