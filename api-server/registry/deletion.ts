/** What deleting an object takes: whether it may go, whether something holds it, what it says while it goes. */
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { type Entry, objectOf } from './entry.ts'
import { conflict } from './errors.ts'
import { timestamp } from './prepare.ts'

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

/** Whether nothing holds a deleted object any more: no finalizer, and nobody who was given time to end it. */
export function isFinished(object: ApiObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && !hasFinalizers(object)
}

/** How long the object may take to end; what is going already is never given more time than it has. */
export function graceOf(kind: Kind, object: ApiObject, asked: number | undefined): number {
  const seconds = kind.graceSeconds?.(object, asked) ?? 0
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata
  return deletionTimestamp === undefined ? seconds : Math.min(seconds, deletionGracePeriodSeconds)
}

/** The object as it says that it goes, `graceSeconds` after it was first told to; undefined where it says so already. */
export function deleting(kind: Kind, object: ApiObject, graceSeconds: number, now: Date): ApiObject | undefined {
  const { metadata } = object
  const { deletionTimestamp, deletionGracePeriodSeconds: before = 0, generation } = metadata
  if (deletionTimestamp !== undefined && before <= graceSeconds) return undefined
  const toldMs = deletionTimestamp === undefined ? now.getTime() : Date.parse(deletionTimestamp) - before * 1000
  const deletion = {
    deletionTimestamp: timestamp(new Date(toldMs + graceSeconds * 1000)),
    deletionGracePeriodSeconds: graceSeconds,
    ...(deletionTimestamp === undefined && generation !== undefined && { generation: generation + 1 }),
  }
  return { ...object, metadata: { ...metadata, ...deletion }, ...terminating(kind, object) }
}

export function isDeleting(entry: Entry): boolean {
  return objectOf(entry).metadata.deletionTimestamp !== undefined
}

/** Only a Namespace says in its status that it is going. */
function terminating(kind: Kind, object: ApiObject): Record<string, unknown> {
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
