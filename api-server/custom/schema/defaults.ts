/**
 * Fills a schema's defaults, top down (Kubernetes: "Defaulting and Nullable"): a null where null is not allowed gives
 * way to the default, or goes where there is none; what a default brings in is itself filled.
 */
import type { SchemaNode } from './node.ts'

export function fillDefaults(value: unknown, node: SchemaNode | undefined): void {
  if (!node || value === null || typeof value !== 'object') return
  if (Array.isArray(value)) fillList(value, node.items)
  else fillObject(value as Record<string, unknown>, node)
}

function fillObject(value: Record<string, unknown>, node: SchemaNode): void {
  for (const [name, child] of node.properties) {
    if (child.preset !== undefined && !Object.hasOwn(value, name)) value[name] = structuredClone(child.preset)
  }
  for (const key of Object.keys(value)) {
    const child = childOf(node, key)
    if (value[key] === null && child && !child.nullable) replaceNull(value, key, child)
    // A key that went is not read again: `__proto__`, once no field, is what all objects share.
    if (Object.hasOwn(value, key)) fillDefaults(value[key], child)
  }
}

function replaceNull(value: Record<string, unknown>, key: string, child: SchemaNode): void {
  if (child.preset === undefined) delete value[key]
  else value[key] = structuredClone(child.preset)
}

function fillList(list: unknown[], items: SchemaNode | undefined): void {
  if (!items) return
  for (const [index, item] of list.entries()) {
    if (item === null && !items.nullable && items.preset !== undefined) list[index] = structuredClone(items.preset)
    fillDefaults(list[index], items)
  }
}

/** The schema that speaks of a key of an object: its property's, else the one of all free keys. */
export function childOf(node: SchemaNode, key: string): SchemaNode | undefined {
  const named = node.properties.get(key)
  if (named) return named
  return node.additional === true ? undefined : node.additional
}
