/** What deleting an object takes: whether it may go, whether something holds it, what it says while it goes. */
import type { ApiObject, Kind, Metadata } from '../../crds/kind.ts'
import { type Entry, objectOf } from './entry.ts'
import { conflict } from './errors.ts'
import { timestamp } from './prepare.ts'

export interface Preconditions {
  readonly uid?: string
  readonly resourceVersion?: string
}

/** What becomes of an object's dependents: deleted after it, deleted before it, or left without it. */
export type Propagation = 'Background' | 'Foreground' | 'Orphan'

/** Held until the garbage collector has deleted every dependent that says so (blockOwnerDeletion). */
export const FOREGROUND = 'foregroundDeletion'
/** Held until the garbage collector has taken the references to the object out of its dependents. */
export const ORPHAN = 'orphan'

export function hasFinalizers(object: ApiObject): boolean {
  return (object.metadata.finalizers?.length ?? 0) > 0 || holdsContent(object)
}

/** Only a Namespace has finalizers of a second sort. */
function holdsContent({ apiVersion, kind, spec }: ApiObject): boolean {
  if (kind !== 'Namespace' || apiVersion !== 'v1') return false
  return ((spec as { finalizers?: string[] } | undefined)?.finalizers?.length ?? 0) > 0
}

/** Whether nothing holds a deleted object any more: no finalizer, and nobody who was given time to end it. */
export function isFinished(object: ApiObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && !hasFinalizers(object)
}

/** How long the object may take to end; what is going already gets less time only where somebody asks for that. */
export function graceOf(kind: Kind, object: ApiObject, asked: number | undefined): number {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata
  const seconds = kind.graceSeconds?.(object, asked) ?? 0
  if (deletionTimestamp === undefined) return seconds
  // At 0 nobody is left to wait for, whatever was asked for: an unbound pod, an ended one.
  return asked === undefined && seconds > 0 ? deletionGracePeriodSeconds : Math.min(seconds, deletionGracePeriodSeconds)
}

/**
 * The finalizers that a deletion leaves: those of the garbage collector as `propagation` says, where it says anything.
 * A later deletion may change its mind as long as the object is there. Events have no dependents that anybody follows.
 */
export function finalizersFor(kind: Kind, object: ApiObject, propagation: Propagation | undefined): readonly string[] {
  const before = object.metadata.finalizers ?? []
  if (kind.kind === 'Event') return before
  const own: readonly string[] = before.filter((one) => one === FOREGROUND || one === ORPHAN)
  const wanted: readonly string[] = propagation === undefined ? own.slice(0, 1) : (ADDED.get(propagation) ?? [])
  if (own.length === wanted.length && wanted.every((one) => own.includes(one))) return before
  return [...before.filter((one) => !own.includes(one)), ...wanted]
}

const ADDED: ReadonlyMap<Propagation, readonly string[]> = new Map([
  ['Foreground', [FOREGROUND]],
  ['Orphan', [ORPHAN]],
])

/** How a deletion was asked for, settled: see `graceOf` and `finalizersFor`. */
export interface Deletion {
  readonly graceSeconds: number
  readonly finalizers: readonly string[]
  readonly now: Date
}

/** The object as it says that it goes; undefined where it says so already. */
export function deleting(kind: Kind, object: ApiObject, deletion: Deletion): ApiObject | undefined {
  const { finalizers: before = [], ...metadata } = object.metadata
  const sameFinalizers =
    before.length === deletion.finalizers.length && before.every((one, at) => one === deletion.finalizers[at])
  const finalizers = sameFinalizers ? before : deletion.finalizers
  const times = deletionTimes(object.metadata, deletion)
  if (times === undefined && sameFinalizers) return undefined
  const next = { ...metadata, ...(finalizers.length > 0 && { finalizers: [...finalizers] }), ...times }
  return { ...object, metadata: next, ...(times && terminating(kind, object)) }
}

/** Undefined where the object goes already, and no sooner for this. */
function deletionTimes(metadata: Metadata, { graceSeconds, now }: Deletion): Partial<Metadata> | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds: before = 0, generation } = metadata
  if (deletionTimestamp !== undefined && before <= graceSeconds) return undefined
  const toldMs = deletionTimestamp === undefined ? now.getTime() : Date.parse(deletionTimestamp) - before * 1000
  return {
    deletionTimestamp: timestamp(new Date(toldMs + graceSeconds * 1000)),
    deletionGracePeriodSeconds: graceSeconds,
    ...(deletionTimestamp === undefined && generation !== undefined && { generation: generation + 1 }),
  }
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

/** Throws 409 where the object is not the one that was meant; as in Kubernetes it names the kind, not the resource. */
export function checkPreconditions(kind: Kind, object: ApiObject, preconditions: Preconditions | undefined): void {
  const { name, uid, resourceVersion } = object.metadata
  const differs = (what: string, asked: string, is: string | undefined, perhaps: string) =>
    hasOwnDeletion(kind)
      ? conflict(kind, name, `Precondition failed: ${what} in precondition: ${asked}, ${what} in object meta: ${is}`)
      : conflict(
          { group: kind.group, plural: kind.kind },
          name,
          `the ${what} in the precondition (${asked}) does not match the ${what} in record (${is}). The object might have been ${perhaps}`,
        )
  if (preconditions?.uid && preconditions.uid !== uid)
    throw differs('UID', preconditions.uid, uid, 'deleted and then recreated')
  if (preconditions?.resourceVersion && preconditions.resourceVersion !== resourceVersion)
    throw differs('ResourceVersion', preconditions.resourceVersion, resourceVersion, 'modified')
}

/** Kubernetes deletes these two in code of their own, with words of their own. */
function hasOwnDeletion({ kind, group }: Kind): boolean {
  return (kind === 'Namespace' && group === '') || group === 'apiextensions.k8s.io'
}
