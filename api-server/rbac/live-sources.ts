/** Keeps what machines may read as the watch cache has the Units: loaded once, then changed with each, in the same turn. */
import { Unit } from '../../crds/index.ts'
import { MachineSources, type UnitWithSources } from '../auth/machine-sources.ts'
import { type Entry, objectOf } from '../registry/entry.ts'
import type { Feed } from '../registry/feed.ts'

/** `feed` must be loaded. The answer lives as long as it does. */
export function liveSources(feed: Feed): MachineSources {
  const sources = new MachineSources()
  const cache = feed.cache(Unit)
  const put = (entry: Entry): void => {
    if (mayName(entry)) sources.put(entry.key, objectOf(entry) as UnitWithSources)
    else sources.remove(entry.key)
  }
  for (const entry of cache.entries.from('')) put(entry)
  cache.watchers.add(
    {
      deliver: ({ entry, previous }) => {
        if (entry !== undefined) put(entry)
        else if (previous !== undefined) sources.remove(previous.key)
      },
    },
    undefined,
  )
  return sources
}

/** Most units name nothing, and each of their heartbeats comes through here: only the others are parsed. */
function mayName({ bytes }: Entry): boolean {
  return bytes.includes('"configMapKeyRef"') || bytes.includes('"secretKeyRef"')
}
