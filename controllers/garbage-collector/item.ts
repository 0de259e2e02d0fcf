/** An object as the garbage collector sees it. */
import type { OwnerReference } from '../../crds/kind.ts'
import type { Resource } from '../lib/metadata-client.ts'

export interface Item {
  /** Group, resource, namespace and name. */
  readonly id: string
  readonly resource: Resource
  readonly namespace: string | undefined
  readonly name: string
  readonly uid: string
  /** resourceVersion, the guard of everything that is done about it. */
  readonly version: string
  readonly owners: readonly OwnerReference[]
  readonly finalizers: readonly string[]
  readonly deleting: boolean
}

/** Kubernetes' names for what holds an object until its dependents are gone, or know it no more. */
export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

/** Whether it is for the garbage collector to let the object go. */
export function isHeld({ deleting, finalizers }: Pick<Item, 'deleting' | 'finalizers'>): boolean {
  return deleting && (finalizers.includes(FOREGROUND) || finalizers.includes(ORPHAN))
}
