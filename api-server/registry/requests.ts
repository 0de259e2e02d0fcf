/** What the registry is asked for, and what it gives for a write. */
import type { ApiObject, Kind } from '../../crds/kind.ts'
import type { Preconditions, Propagation } from './deletion.ts'
import type { Ownership } from './managed-fields/track.ts'
import type { Strictness } from './validate.ts'

/** Where an object lies; `namespace` is undefined exactly for cluster-scoped kinds. */
export interface Place {
  readonly kind: Kind
  readonly namespace: string | undefined
  readonly name: string
}

export interface WriteOptions extends Strictness {
  readonly dryRun?: boolean
  /** Who manages what after the write; the server writes on its own account unless given. */
  readonly ownership?: Ownership
  /** May refuse by throwing: asked about the object that is to be changed, and again with what it would become. */
  readonly guard?: ((current: ApiObject, next?: ApiObject) => void) | undefined
}

export interface Written {
  readonly bytes: Buffer
  readonly name: string
  readonly warnings: readonly string[]
  /** The object went away with this write: its last finalizer was removed, or it was deleted. */
  readonly gone?: boolean
}

export interface DeleteOptions {
  readonly dryRun?: boolean
  readonly preconditions?: Preconditions
  /** How long what runs may take to end, where the kind's objects are ended by somebody; at 0 nobody is waited for. */
  readonly graceSeconds?: number | undefined
  /** What becomes of its dependents: what the object's finalizers say unless given, deleted after it by default. */
  readonly propagation?: Propagation | undefined
  readonly guard?: ((current: ApiObject) => void) | undefined
}
