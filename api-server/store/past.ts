/**
 * Reading an older revision: the present state with the changes since then undone. What that costs is the number of
 * changes since, not the size of the history: callers page through a list within seconds of its first page.
 */
import { compareKeys } from './keys.ts'
import { CompactedError, FutureRevisionError, type Revision } from './store.ts'

export interface Span {
  /** Oldest revision to read at, newest revision that exists. */
  readonly compacted: Revision
  readonly revision: Revision
}

/** Throws `CompactedError` or `FutureRevisionError` where `at` lies outside the span. */
export function checkReadable(at: Revision, { compacted, revision }: Span): void {
  if (at < compacted) throw new CompactedError(compacted)
  if (at > revision) throw new FutureRevisionError(at, revision)
}

/** For each key changed since some revision the version it had then (its first change since knows): undefined if none. */
export type Undo<V> = ReadonlyMap<string, V | undefined>

/** Entries of the present, in key order, as they were: later versions replaced, later keys gone, deleted ones back. */
export function mergePast<V>(present: readonly (readonly [string, V])[], undo: Undo<V>): (readonly [string, V])[] {
  const kept = present.filter(([key]) => !undo.has(key))
  const restored: (readonly [string, V])[] = []
  for (const [key, version] of undo) if (version !== undefined) restored.push([key, version])
  return [...kept, ...restored].sort(([a], [b]) => compareKeys(a, b))
}
