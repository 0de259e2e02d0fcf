/**
 * Notices that the store which was opened is not the one that is there: a backup was restored in its place, by us or by
 * etcd's own tools, or the etcd was begun anew. A watch alone does not tell: where etcd's counter went back it waits in
 * silence for a future that belongs to others. Looked at every few seconds, by one small read.
 */
import type { Revision } from '../store.ts'
import type { WatchHub } from '../watch-hub.ts'
import type { Endpoints } from './endpoints.ts'
import type { Layout } from './layout.ts'
import { findMeta, type Opened, replaced } from './meta.ts'

export interface IdentityDeps {
  readonly endpoints: Endpoints
  readonly layout: Layout
  readonly opened: Pick<Opened, 'clusterName'>
  readonly hub: Pick<WatchHub, 'close'>
  /** Newest that watchers were handed. */
  readonly revision: () => Revision
}

const LOOK_EVERY_MS = 3_000

/** Ends every watcher with `ReplacedError` once the store is another one; the result stops looking. */
export function watchIdentity(deps: IdentityDeps): () => void {
  let looking = false
  const timer = setInterval(async () => {
    if (looking) return
    looking = true
    if (!(await isSame(deps))) deps.hub.close(replaced())
    looking = false
  }, LOOK_EVERY_MS).unref()
  return () => clearInterval(timer)
}

/** An etcd that does not answer may still be the same. */
async function isSame({ endpoints, layout, opened, revision }: IdentityDeps): Promise<boolean> {
  const known = revision()
  try {
    const found = await findMeta(endpoints, layout)
    return found !== undefined && found.opened.clusterName === opened.clusterName && found.revision >= known
  } catch {
    return !endpoints.areElsewhere
  }
}
