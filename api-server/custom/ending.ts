/** The end of a definition: its objects go first, each as its own finalizers let it, then what holds the definition. */
import type { ApiObject } from '../../crds/kind.ts'
import { StatusError } from '../registry/errors.ts'
import type { KindCache } from '../registry/kind-cache.ts'
import type { Registry } from '../registry/registry.ts'
import { DEFINITION, type Definition } from './definition.ts'
import { CLEANUP } from './definition-kind.ts'

/** How many deletions wait for the disk together. */
const DELETE_TOGETHER = 64

/**
 * Deletes what there is, and lets go of the definition once there is nothing. `hasObjects` is false where the definition
 * never got its names: what is stored under them is then somebody else's.
 */
export async function emptyAndRelease(registry: Registry, definition: Definition, hasObjects: boolean): Promise<void> {
  const { name, uid } = definition.metadata
  if (hasObjects && !(await empty(registry, definition))) return
  const release = (current: ApiObject): ApiObject => {
    const { finalizers = [] } = current.metadata
    if (current.metadata.uid !== uid) return current
    return { ...current, metadata: { ...current.metadata, finalizers: finalizers.filter((one) => one !== CLEANUP) } }
  }
  await registry.update({ kind: DEFINITION, namespace: undefined, name }, release, undefined).catch(ignoreGone)
}

/** Whether nothing is left. */
async function empty(registry: Registry, { spec }: Definition): Promise<boolean> {
  const cache = [...registry.feed.collections].find(
    ({ kind }) => kind.structure && kind.group === spec.group && kind.plural === spec.names.plural,
  )
  if (cache === undefined) return false // not served for the moment: nothing is known of its objects
  for (const entries of batches(cache))
    await Promise.all(
      entries.map(({ namespace, name }) => registry.delete({ kind: cache.kind, namespace, name }).catch(ignoreGone)),
    )
  return cache.entries.size === 0
}

function* batches({ entries }: KindCache) {
  const all = [...entries.from('')]
  for (let at = 0; at < all.length; at += DELETE_TOGETHER) yield all.slice(at, at + DELETE_TOGETHER)
}

function ignoreGone(error: unknown): void {
  if (!(error instanceof StatusError && error.status.code === 404)) throw error
}
