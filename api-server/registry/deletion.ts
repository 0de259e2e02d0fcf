/** What deleting an object takes: whether it may go, whether something holds it, what it says while it goes. */
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { type Entry, objectOf } from './entry.ts'
import { conflict } from './errors.ts'

export interface Preconditions {
  readonly uid?: string
  readonly resourceVersion?: string
}

export function hasFinalizers(object: ApiObject): boolean {
  return (
    (object.metadata.finalizers?.length ?? 0) > 0 ||
    ((object.spec as { finalizers?: string[] } | undefined)?.finalizers?.length ?? 0) > 0
  )
}

export function isFinished(object: ApiObject): boolean {
  return object.metadata.deletionTimestamp !== undefined && !hasFinalizers(object)
}

export function isDeleting(entry: Entry): boolean {
  return objectOf(entry).metadata.deletionTimestamp !== undefined
}

/** Only a Namespace says in its status that it is going. */
export function terminating(kind: Kind, object: ApiObject): Record<string, unknown> {
  return kind.kind === 'Namespace' && kind.group === ''
    ? { status: { ...(object.status as object | undefined), phase: 'Terminating' } }
    : {}
}

/** Throws 409 where the object is not the one that was meant. */
export function checkPreconditions(kind: Kind, object: ApiObject, preconditions: Preconditions | undefined): void {
  const { name, uid, resourceVersion } = object.metadata
  if (preconditions?.uid && preconditions.uid !== uid)
    throw conflict(
      kind,
      name,
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    )
  if (preconditions?.resourceVersion && preconditions.resourceVersion !== resourceVersion)
    throw conflict(
      kind,
      name,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    )
}
