/**
 * Lists and maps with the meaning that patches give them, said once: server-side apply reads `x-kubernetes-list-*`,
 * strategic merge patch (ours and kubectl's own) reads `x-kubernetes-patch-*`.
 */
import * as z from 'zod'

/** Elements are known by `mapKeys`; a strategic patch merges them by `mergeKey` alone, as it can only take one. */
export function keyedList<T extends z.ZodType>(element: T, mergeKey: string, mapKeys: readonly string[] = [mergeKey]) {
  return z.array(element).meta({
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': mapKeys,
    'x-kubernetes-patch-merge-key': mergeKey,
    'x-kubernetes-patch-strategy': 'merge',
  })
}

/** A keyed list whose elements are unions: patching one source in takes the other out (`$retainKeys`). */
export function keyedUnions<T extends z.ZodType>(element: T, mergeKey: string) {
  return keyedList(element, mergeKey).meta({ 'x-kubernetes-patch-strategy': 'merge,retainKeys' })
}

/** Written as a whole. */
export function atomicList<T extends z.ZodType>(element: T) {
  return z.array(element).meta({ 'x-kubernetes-list-type': 'atomic' })
}

/** An object or a map that is written as a whole. */
export function atomic<T extends z.ZodType>(schema: T): T {
  return schema.meta({ 'x-kubernetes-map-type': 'atomic' }) as T
}

/** Labels, annotations and data: each key is a field of its own. */
export const StringMap = z.record(z.string(), z.string())
