/** All projections with what they show now: fed by the watch cache, in the very turn in which an object changes there. */
import type { Registry } from '../../../registry/registry.ts'
import type { Tree } from '../tree.ts'
import { type Claim, Claims, type Complain } from './claims.ts'
import { locate } from './location.ts'
import type { Projection } from './projection.ts'

export interface Shown {
  readonly projections: readonly Projection[]
  at(key: string): Claim | undefined
  /** Every key of the projection that has an object, or a node in the tree. */
  keysOf(projection: Projection): ReadonlySet<string>
  /** Calls `told` with the keys of each object that changes, until the result is called. */
  follow(told: (keys: ReadonlySet<string>) => void): () => void
}

export function createShown(
  registry: Registry,
  tree: () => Tree,
  projections: readonly Projection[],
  complain: Complain,
): Shown {
  const listeners = new Set<(keys: ReadonlySet<string>) => void>()
  const claims = new Map(projections.map((projection) => [projection, new Claims(projection, complain)]))
  for (const [{ kind }, held] of claims) {
    const cache = registry.feed.cache(kind)
    for (const entry of cache.entries.from('')) held.changed(entry.key, entry)
    const deliver = ({ key, entry }: { key: string; entry: Parameters<Claims['changed']>[1] }) => {
      const keys = held.changed(key, entry)
      for (const told of listeners) told(keys)
    }
    cache.watchers.add({ deliver }, undefined)
  }
  return {
    projections,
    at: (key) => {
      for (const held of claims.values()) if (held.at(key)) return held.at(key)
      return undefined
    },
    keysOf: (projection) => new Set([...(claims.get(projection)?.keys() ?? []), ...nodesOf(tree(), projection)]),
    follow: (told) => {
      listeners.add(told)
      return () => listeners.delete(told)
    },
  }
}

function* nodesOf(tree: Tree, projection: Projection): Iterable<string> {
  for (const directory of projection.directories)
    for (const key of tree.get(directory)?.children?.keys() ?? [])
      if (locate([projection], key).is === 'object') yield key
}
