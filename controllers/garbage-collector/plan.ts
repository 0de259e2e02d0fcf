/**
 * What is to become of one object, by Kubernetes' rules: an object goes when every owner it names is gone; it loses the
 * references to those that are gone while another one lives; what is deleted in the foreground goes after its blocking
 * dependents, and what is orphaned after they have forgotten it. Pure.
 */
import type { OwnerReference } from '../../crds/kind.ts'
import { FOREGROUND, type Item, ORPHAN } from './item.ts'

/**
 * solid: it lives; waiting: it is deleted in the foreground, so its dependents are to go; absent: the server has been
 * asked and it is not there; unknown: nobody can be asked, because its kind is not there or cannot own this object.
 */
export type OwnerState = 'solid' | 'waiting' | 'absent' | 'unknown'

export interface Observed {
  readonly item: Item
  /** In the order of `item.owners`; empty where they do not matter because the item goes already. */
  readonly owners: readonly OwnerState[]
  /** Items that name this one, each by its own reference. */
  readonly dependents: readonly Dependent[]
}

export interface Dependent {
  readonly item: Item
  readonly reference: OwnerReference
}

export type Propagation = 'Background' | 'Foreground' | 'Orphan'

interface About {
  readonly item: Item
  readonly reason: string
}
export type Action =
  | (About & { readonly do: 'delete'; readonly propagation: Propagation; readonly unblock: boolean })
  | (About & { readonly do: 'release'; readonly owners: readonly OwnerReference[] })
  | (About & { readonly do: 'let go'; readonly finalizer: string })

/** In the order in which they are to be done; empty: nothing, until something changes. */
export function plan(observed: Observed): Action[] {
  const { item } = observed
  if (item.deleting) return end(observed)
  if (item.owners.length === 0 || observed.owners.includes('unknown')) return []
  const gone = observed.owners.filter((state) => state !== 'solid').length
  if (gone === 0) return []
  if (gone === item.owners.length) return [deletion(observed)]
  const owners = item.owners.filter((_, at) => observed.owners[at] === 'solid')
  return [{ do: 'release', item, owners, reason: `${gone} of its ${item.owners.length} owners are gone` }]
}

function end({ item, dependents }: Observed): Action[] {
  if (item.finalizers.includes(FOREGROUND)) {
    const blocked = dependents.some(({ reference }) => reference.blockOwnerDeletion === true)
    return blocked ? [] : [{ do: 'let go', item, finalizer: FOREGROUND, reason: 'no dependent blocks its deletion' }]
  }
  if (!item.finalizers.includes(ORPHAN)) return []
  const letGo: Action = { do: 'let go', item, finalizer: ORPHAN, reason: 'no dependent names it' }
  return dependents.length === 0 ? [letGo] : dependents.map((dependent) => withoutOwner(dependent, item))
}

function withoutOwner({ item }: Dependent, { uid, name }: Item): Action {
  const owners = item.owners.filter((reference) => reference.uid !== uid)
  return { do: 'release', item, owners, reason: `its owner ${name} is deleted without its dependents` }
}

function deletion({ item, owners, dependents }: Observed): Action {
  const waits = owners.includes('waiting')
  const reason = waits ? 'its owner is deleted in the foreground' : 'its owners are gone'
  // Whoever waits for this one waits for its dependents as well.
  if (waits && dependents.length > 0) {
    // A dependent that is going, too, may in turn wait for this one: a circle would stand still.
    const unblock = dependents.some(({ item }) => item.deleting && item.finalizers.includes(FOREGROUND))
    return { do: 'delete', item, propagation: 'Foreground', unblock, reason }
  }
  return { do: 'delete', item, propagation: asked(item), unblock: false, reason }
}

/** A finalizer that was put on an object beforehand says how it wants to go. */
function asked({ finalizers }: Item): Propagation {
  if (finalizers.includes(ORPHAN)) return 'Orphan'
  return finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background'
}
