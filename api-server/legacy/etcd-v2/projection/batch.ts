/** What the writes of one batch do to objects: it goes into the batch's own transaction. */
import type { Compare, Operation } from '../../../store/store.ts'
import { isBelow } from '../tree.ts'

/** Beside the log's and the index's, and what one write brings. */
export const MAX_KEYS = 100

export class ObjectBatch {
  readonly #compare = new Map<string, Compare>()
  readonly #operations: Operation[] = []
  readonly #keys = new Set<string>()

  get compare(): readonly Compare[] {
    return [...this.#compare.values()]
  }

  get operations(): readonly Operation[] {
    return this.#operations
  }

  /** False: not in this batch. Each key is decided once a batch, from its object as the store has it. */
  take(keys: readonly string[]): boolean {
    if (keys.some((key) => this.#keys.has(key)) || this.#keys.size + keys.length > MAX_KEYS) return false
    for (const key of keys) this.#keys.add(key)
    return true
  }

  /** Whether a key below `folder` was taken. */
  isBusyBelow(folder: string): boolean {
    for (const key of this.#keys) if (isBelow(key, folder)) return true
    return false
  }

  /** False: another write of this batch changes the same object, and this one has to wait for the next. */
  add({ compare, operations }: { compare: readonly Compare[]; operations: readonly Operation[] }): boolean {
    const isTaken = operations.some(({ key }) => this.#operations.some((other) => other.key === key))
    if (isTaken) return false
    for (const one of compare) this.#compare.set(one.key, one)
    this.#operations.push(...operations)
    return true
  }
}
