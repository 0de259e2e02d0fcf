/**
 * New objects of a users' own kind are written under a compare on its definition. Whoever deletes a definition has seen
 * every object that was made before; with this, none is made after, whichever server it is asked of.
 */
import { CustomResourceDefinition } from '../../crds/index.ts'
import type { Kind } from '../../crds/kind.ts'
import type { Compare } from '../store/store.ts'
import { isDeleting } from './deletion.ts'
import { storeKey } from './encode.ts'
import type { Entry } from './entry.ts'
import { noSuchPath, notWhileEnding } from './errors.ts'
import type { Feed } from './feed.ts'

const DEFINITION = CustomResourceDefinition as Kind
const NOTHING: readonly Compare[] = []

/** Looked at once a version of a definition: these objects are large. */
const ending = new WeakMap<Entry, boolean>()

/** Throws 404 or 405 where the definition is gone, or going. */
export function definitionGuard(feed: Feed, { structure, group, plural }: Kind): readonly Compare[] {
  if (structure === undefined) return NOTHING
  const entry = feed.cache(DEFINITION).entries.get(`-/${plural}.${group}`)
  if (entry === undefined) throw noSuchPath()
  const isEnding = ending.get(entry) ?? isDeleting(entry)
  ending.set(entry, isEnding)
  if (isEnding) throw notWhileEnding()
  return [{ key: storeKey(DEFINITION, undefined, entry.name), modified: entry.version }]
}
