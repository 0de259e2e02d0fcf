/**
 * Entries in key order: a list of leaves of at most 128, so that inserting among 100 000 moves a handful of pointers
 * and a list is served leaf by leaf.
 */
import type { Entry } from './entry.ts'

const LEAF_SIZE = 128

export class SortedEntries {
  readonly #byKey = new Map<string, Entry>()
  #leaves: Entry[][] = []

  get size(): number {
    return this.#byKey.size
  }

  get(key: string): Entry | undefined {
    return this.#byKey.get(key)
  }

  set(entry: Entry): void {
    const known = this.#byKey.has(entry.key)
    this.#byKey.set(entry.key, entry)
    const leafAt = this.#leafOf(entry.key)
    const leaf = this.#leaves[leafAt]
    if (leaf === undefined) this.#leaves.push([entry])
    else {
      leaf.splice(positionIn(leaf, entry.key), known ? 1 : 0, entry)
      if (leaf.length > LEAF_SIZE)
        this.#leaves.splice(leafAt, 1, leaf.slice(0, LEAF_SIZE / 2), leaf.slice(LEAF_SIZE / 2))
    }
  }

  delete(key: string): void {
    if (!this.#byKey.delete(key)) return
    const leafAt = this.#leafOf(key)
    const leaf = this.#leaves[leafAt]
    if (leaf === undefined) return
    leaf.splice(positionIn(leaf, key), 1)
    if (leaf.length === 0) this.#leaves.splice(leafAt, 1)
  }

  /** Entries from `start` (inclusive) on whose keys begin with `prefix`, in order. */
  *from(start: string, prefix = ''): Generator<Entry> {
    const first = start < prefix ? prefix : start
    for (let at = this.#leafOf(first); at < this.#leaves.length; at++)
      for (const entry of this.#leaves[at] ?? []) {
        if (entry.key < first) continue
        if (!entry.key.startsWith(prefix)) return
        yield entry
      }
  }

  /** The last leaf whose first key is not above `key`. */
  #leafOf(key: string): number {
    let low = 0
    let high = this.#leaves.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#leaves[middle]?.[0]?.key ?? '') <= key) low = middle
      else high = middle - 1
    }
    return low
  }
}

function positionIn(leaf: readonly Entry[], key: string): number {
  let low = 0
  let high = leaf.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((leaf[middle]?.key ?? '') < key) low = middle + 1
    else high = middle
  }
  return low
}
