/**
 * Which event is for which watcher. Live events and history differ in three ways that clients of etcd have grown used
 * to (watcher.go, watcher_hub.go and event_history.go of etcd 3.4); both are here, side by side.
 */
import type { Entry } from './event.ts'
import { below } from './node.ts'

/** Whether a component of `key` below `folder` begins with an underscore: recursive watchers above are not told. */
export function isHiddenBelow(folder: string, key: string): boolean {
  if (folder.length > key.length) return false
  return key.includes('/_', folder === '/' ? 0 : folder.length)
}

/** A search in the past: shows hidden keys, and takes a directory that went as anybody's whose key begins with its. */
export function matchesPast(entry: Entry, key: string, recursive: boolean): boolean {
  if (entry.refresh) return false
  if (entry.key === key) return true
  if (recursive && entry.key.startsWith(below(key))) return true
  return entry.tookDir && (entry.action === 'delete' || entry.action === 'expire') && key.startsWith(entry.key)
}
