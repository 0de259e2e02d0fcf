/** Removes what a schema does not know (Kubernetes: "Field pruning" of custom resources). */
import type { SchemaNode } from './node.ts'

/** How many removed paths are told; the rest is removed all the same. */
export const MAX_TOLD_PATHS = 1000

const ENVELOPE: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

export function prune(object: Record<string, unknown>, root: SchemaNode): string[] {
  const removed: string[] = []
  pruneObject(object, { ...root, embedded: true }, '', removed)
  return removed
}

/** Adds the paths removed to `removed`, up to the bound. */
export function pruneValue(value: unknown, node: SchemaNode | undefined, path: string, removed: string[]): void {
  if (Array.isArray(value)) pruneList(value, node, path, removed)
  else if (value !== null && typeof value === 'object')
    pruneObject(value as Record<string, unknown>, node, path, removed)
}

function pruneObject(
  value: Record<string, unknown>,
  node: SchemaNode | undefined,
  path: string,
  removed: string[],
): void {
  for (const key of Object.keys(value)) {
    if (node?.embedded && ENVELOPE.has(key)) continue
    const below = path === '' ? key : `${path}.${key}`
    const known = node?.properties.get(key)
    if (known) pruneValue(value[key], known, below, removed)
    else if (node?.additional) pruneFree(value[key], node, below, removed)
    else if (!node?.preserve) {
      delete value[key]
      if (removed.length < MAX_TOLD_PATHS) removed.push(below)
    }
  }
}

/** `additionalProperties: true` promises nothing about the value, so nothing of it is unknown. */
function pruneFree(value: unknown, node: SchemaNode, path: string, removed: string[]): void {
  if (node.additional && node.additional !== true) pruneValue(value, node.additional, path, removed)
}

function pruneList(list: unknown[], node: SchemaNode | undefined, path: string, removed: string[]): void {
  // Without a schema for them there is nothing to compare with; validation refuses what should not be a list at all.
  if (!node?.items) return
  const items = node.preserve ? { ...node.items, preserve: true } : node.items
  for (const [index, item] of list.entries()) {
    if (item !== null && typeof item === 'object') pruneValue(item, items, `${path}[${index}]`, removed)
  }
}
