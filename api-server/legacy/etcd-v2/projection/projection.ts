/**
 * A projection shows the objects of one kind as keys, and takes writes on those keys as writes of the objects. This file
 * is the contract; a view of one old client's keys is one more file beside `flannel.ts` and a line in `index.ts`.
 *
 * The object is the truth: wherever a node says something else, the node is written anew. All functions are pure and
 * total; strings are text (the door's byte strings are converted outside), times milliseconds since 1970. They owe:
 *
 * - `toObject(n, o)` gives back `o` for every node `n` that `toNodes(o)` shows: reading and writing back changes nothing.
 * - What a view does not show of an object, a write through it keeps.
 */
import type { ApiObject, Kind } from '../../../../crds/kind.ts'
import type { Failure } from '../failure.ts'

export interface ShownNode {
  readonly key: string
  readonly value: string
  /** Undefined: for ever. */
  readonly expires: number | undefined
}

/** Why an object cannot be shown, in words for its owner. */
export interface Fault {
  readonly fault: string
}

/**
 * What a key is: `object`: one of the view's nodes, there or not; `plain`: nobody's, kept as any other; or why there can
 * be no such key.
 */
export type Standing = 'object' | 'plain' | Failure

export interface Projection {
  readonly kind: Kind
  /** They hold the nodes and stay directories; the outermost first. Every node lies directly in one of them. */
  readonly directories: readonly [string, ...string[]]
  /** Of keys below `directories[0]`. */
  standing(key: string): Standing
  /** Nothing for objects that this view leaves out on purpose. */
  toNodes(object: ApiObject): readonly ShownNode[] | Fault
  /**
   * The object as a write of `node` means it. `current` is the one that holds the key, to be copied and not changed;
   * without one the object is new, and its name a proposal. `nameAt` tells which object holds another key.
   */
  toObject(
    node: ShownNode,
    current: ApiObject | undefined,
    nameAt: (key: string) => string | undefined,
  ): ApiObject | Failure
}

export function isFault(showing: readonly ShownNode[] | Fault): showing is Fault {
  return 'fault' in showing
}
