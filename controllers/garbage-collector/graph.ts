/**
 * Who owns whom, as far as it matters: objects that name owners, and objects that are being deleted before or without
 * their dependents. Of everything else nothing is kept: an owner is known by its dependents, and whether it lives is
 * asked when it is doubted. Everything here is synchronous.
 */
import type { ApiObject, Metadata } from '../../crds/kind.ts'
import type { Resource } from '../lib/metadata-client.ts'
import { FOREGROUND, type Item, isHeld } from './item.ts'
import { createOwnerIndex } from './owner-index.ts'

export interface Graph {
  get(id: string): Item | undefined
  /** Objects that name this owner, whichever way they spell the rest of the reference. */
  dependentsOf(uid: string): Item[]
  items(): Iterable<Item>
  put(resource: Resource, object: ApiObject): void
  remove(resource: Resource, object: ApiObject): void
  /** What a complete list of the resource says. */
  replace(resource: Resource, objects: readonly ApiObject[]): void
}

export interface GraphEvents {
  /** The item, or what it depends on, has changed. */
  readonly changed: (id: string) => void
  /** What was known of an owner is to be asked anew. */
  readonly doubted: (uid: string) => void
}

/** Of a metadata list or watch, what the graph reads. */
export function lean({ apiVersion, kind, metadata }: ApiObject): ApiObject {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, finalizers, ownerReferences } = metadata
  const isKept = ownerReferences !== undefined || deletionTimestamp !== undefined
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(isKept && { resourceVersion, deletionTimestamp, finalizers, ownerReferences }),
    } as Metadata,
  }
}

export function createGraph({ changed, doubted }: GraphEvents): Graph {
  const items = new Map<string, Item>()
  const owners = createOwnerIndex()

  const wakeDependents = (uid: string): void => {
    doubted(uid)
    for (const id of owners.dependentsOf(uid)) changed(id)
  }
  const store = (id: string, before: Item | undefined, item: Item | undefined): void => {
    if (before) owners.remove(before)
    if (item) owners.add(item)
    if (item) items.set(id, item)
    else items.delete(id)
    for (const { uid } of [...(before?.owners ?? []), ...(item?.owners ?? [])]) {
      // Those wait until they have no dependents.
      for (const owner of owners.heldBy(uid)) changed(owner)
      if (!owners.isNamed(uid)) doubted(uid)
    }
    if (item) changed(id)
  }
  const forget = (id: string, uid: string | undefined): void => {
    const before = items.get(id)
    if (before) store(id, before, undefined)
    if (uid !== undefined) wakeDependents(uid)
  }
  const put = (resource: Resource, object: ApiObject): void => {
    const item = itemOf(resource, object)
    const { id } = item
    const known = items.get(id)
    // The same name once more: the one before is gone, whether or not anybody has said so.
    if (known !== undefined && known.uid !== item.uid) forget(id, known.uid)
    const before = items.get(id)
    if (before !== undefined && says(before) === says(item)) return void items.set(id, item)
    const isKept = item.owners.length > 0 || isHeld(item)
    if (before !== undefined || isKept) store(id, before, isKept ? item : undefined)
    if (isWaiting(before) !== isWaiting(item)) wakeDependents(item.uid)
  }
  return {
    get: (id) => items.get(id),
    dependentsOf: (uid) => owners.dependentsOf(uid).flatMap((id) => items.get(id) ?? []),
    items: () => items.values(),
    put,
    remove: (resource, { metadata }) => forget(idOf(resource, metadata), metadata.uid),
    replace: (resource, objects) => {
      for (const { id, uid } of missing(items.values(), resource, objects)) forget(id, uid)
      for (const object of objects) put(resource, object)
      const uids = new Set(objects.map(({ metadata }) => metadata.uid))
      for (const uid of owners.namedIn(resource)) if (!uids.has(uid)) wakeDependents(uid)
    },
  }
}

/** Items of the resource that are not among `objects`. */
function missing(items: Iterable<Item>, resource: Resource, objects: readonly ApiObject[]): Item[] {
  const ids = new Set(objects.map((object) => idOf(resource, object.metadata)))
  return [...items].filter((item) => isOf(resource, item) && !ids.has(item.id))
}

function idOf({ group, plural }: Resource, { namespace = '', name }: Metadata): string {
  return `${group}/${plural} ${namespace}/${name}`
}

function isOf({ group, plural }: Resource, { resource }: Item): boolean {
  return resource.group === group && resource.plural === plural
}

function itemOf(resource: Resource, { metadata }: ApiObject): Item {
  const { namespace, name, uid = '', resourceVersion = '', deletionTimestamp } = metadata
  return {
    id: idOf(resource, metadata),
    resource,
    namespace,
    name,
    uid,
    version: resourceVersion,
    owners: metadata.ownerReferences ?? [],
    finalizers: metadata.finalizers ?? [],
    deleting: typeof deletionTimestamp === 'string',
  }
}

/** Everything about an item but its version. */
function says({ owners, finalizers, deleting }: Item): string {
  return JSON.stringify([owners, finalizers, deleting])
}

function isWaiting(item: Item | undefined): boolean {
  return item?.deleting === true && item.finalizers.includes(FOREGROUND)
}
