/** From an owner's uid to the items that name it, and to the item that it is itself while it is held. */
import type { Resource } from '../lib/metadata-client.ts'
import { type Item, isHeld } from './item.ts'

export interface OwnerIndex {
  add(item: Item): void
  remove(item: Item): void
  /** Ids of the items that name this owner. */
  dependentsOf(uid: string): string[]
  isNamed(uid: string): boolean
  /** Ids of the held items with this uid: one, or two where a view shows it a second time. */
  heldBy(uid: string): Iterable<string>
  /** Uids that are named as being of this resource. */
  namedIn(resource: Resource): string[]
}

interface Named {
  readonly ids: Set<string>
  /** `group kind` as the references say it; a wrong one says another. */
  readonly types: Set<string>
}

export function createOwnerIndex(): OwnerIndex {
  const named = new Map<string, Named>()
  const held = new Map<string, Set<string>>()
  return {
    add: (item) => {
      for (const { uid, apiVersion, kind } of item.owners) {
        const entry = named.get(uid) ?? { ids: new Set(), types: new Set() }
        entry.ids.add(item.id)
        entry.types.add(`${groupOf(apiVersion)} ${kind}`)
        named.set(uid, entry)
      }
      if (isHeld(item)) held.set(item.uid, (held.get(item.uid) ?? new Set()).add(item.id))
    },
    remove: (item) => {
      for (const { uid } of item.owners) drop(named, uid, named.get(uid)?.ids, item.id)
      drop(held, item.uid, held.get(item.uid), item.id)
    },
    dependentsOf: (uid) => [...(named.get(uid)?.ids ?? [])],
    isNamed: (uid) => named.has(uid),
    heldBy: (uid) => held.get(uid) ?? [],
    namedIn: ({ group, kind }) =>
      [...named].filter(([, { types }]) => types.has(`${group} ${kind}`)).map(([uid]) => uid),
  }
}

function drop(index: Map<string, unknown>, uid: string, ids: Set<string> | undefined, id: string): void {
  ids?.delete(id)
  if (ids?.size === 0) index.delete(uid)
}

/** `apps` of `apps/v1`; '' of `v1`. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
}
