/**
 * Validation ratcheting (Kubernetes ≥ 1.30, KEP-4008): an update is not blamed for what it leaves as it was. What a value
 * was is found on the way down: by the name of a field, by the keys of an item in a list of type map, by its place in a
 * list without a type. Items of sets and atomic lists have no past of their own; the whole list has.
 */
import { isDeepStrictEqual } from 'node:util'
import { childOf } from './defaults.ts'
import { canonical } from './lists.ts'
import type { SchemaNode } from './node.ts'

/** Undefined, which JSON cannot say: there was no such thing. */
type Past = unknown

export function pastField(past: Past, key: string): Past {
  return isObject(past) && Object.hasOwn(past, key) ? past[key] : undefined
}

/** For the items of a list of this node: what each was. */
export function pastItems(past: Past, node: SchemaNode): (item: unknown, index: number) => Past {
  if (!Array.isArray(past) || node.listType === 'set' || node.listType === 'atomic') return () => undefined
  return node.listType === 'map' ? byKeys(past, node.listMapKeys) : (_, index) => past[index]
}

function byKeys(past: readonly unknown[], names: readonly string[]): (item: unknown) => Past {
  const keyOf = (item: unknown) => canonical(names.map((name) => pastField(item, name)))
  let items: Map<string, unknown> | undefined
  return (item) => {
    items ??= new Map(past.map((one) => [keyOf(one), one]))
    return items.get(keyOf(item))
  }
}

/** Whether the value is what it was; items of a list of type map may stand in another order. */
export function isUnchanged(value: unknown, past: Past, node: SchemaNode | undefined): boolean {
  if (past === undefined) return false
  if (node === undefined || value === null || typeof value !== 'object') return isDeepStrictEqual(value, past)
  if (Array.isArray(value)) return isSameList(value, past, node)
  if (!isObject(past) || Object.keys(past).length !== Object.keys(value).length) return false
  return Object.entries(value).every(([key, inside]) => isUnchanged(inside, pastField(past, key), childOf(node, key)))
}

function isSameList(list: readonly unknown[], past: Past, node: SchemaNode): boolean {
  if (!Array.isArray(past) || past.length !== list.length) return false
  const before = node.listType === 'map' ? byKeys(past, node.listMapKeys) : (_: unknown, at: number) => past[at]
  return list.every((item, at) => isUnchanged(item, before(item, at), node.items))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
