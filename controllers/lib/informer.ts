/**
 * A local, always current copy of one kind (or of a selection of it). Handlers get keys, never events: what the object is
 * now is asked from `get`. Survives restarts of the server without losing or doubling anything.
 */
import type { Kind, ObjectOf } from '../../crds/kind.ts'
import type { ApiReader } from './client.ts'
import type { Clock } from './clock.ts'
import type { Runnable } from './runnable.ts'

export interface InformerOptions<K extends Kind> {
  readonly client: ApiReader
  readonly kind: K
  readonly namespace?: string
  readonly fieldSelector?: string
  readonly labelSelector?: string
  /** Called with an object's key after the copy changed; must only enqueue. A throw is logged, never fatal. */
  readonly onChange?: (key: string) => void
  readonly clock?: Clock
}

export interface Informer<T> extends Runnable {
  /** Resolves after the first complete list. */
  readonly ready: Promise<void>
  /** Key: `name`, or `namespace/name` for namespaced kinds. */
  get(key: string): Readonly<T> | undefined
  list(): readonly Readonly<T>[]
  /** Monotonic time at which the server was last heard on this informer (list, event, bookmark); -Infinity before. */
  lastContact(): number
}
export declare function createInformer<K extends Kind>(options: InformerOptions<K>): Informer<ObjectOf<K>>
