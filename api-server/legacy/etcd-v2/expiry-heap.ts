/**
 * What ends when, soonest first. An entry stays when its key is written again: whoever takes it out asks the tree. So
 * that renewing one key for ever costs no memory, the heap is swept when it holds many more entries than keys.
 */
interface Due {
  readonly atMs: number
  readonly key: string
}

export class ExpiryHeap {
  #heap: Due[] = []

  get size(): number {
    return this.#heap.length
  }

  push(atMs: number, key: string): void {
    const heap = this.#heap
    let at = heap.length
    const due = { atMs, key }
    heap.push(due)
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = heap[up]
      if (parent === undefined || parent.atMs <= atMs) break
      heap[at] = parent
      at = up
    }
    heap[at] = due
  }

  /** Takes out what is due at `nowMs`, in order, at most `limit`. */
  takeDue(nowMs: number, limit: number): Due[] {
    const due: Due[] = []
    for (let first = this.#heap[0]; first && first.atMs <= nowMs && due.length < limit; first = this.#heap[0]) {
      due.push(first)
      this.#dropFirst()
    }
    return due
  }

  /** Forgets entries that `isCurrent` does not know any more. */
  sweep(isCurrent: (due: Due) => boolean): void {
    const kept = this.#heap.filter(isCurrent)
    this.#heap = kept.sort((a, b) => a.atMs - b.atMs) // a sorted array is a heap
  }

  #dropFirst(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      const [left, right] = [heap[child], heap[child + 1]]
      if (left === undefined) break
      const isRight = right !== undefined && right.atMs < left.atMs
      if (isRight) child += 1
      const smaller = isRight ? right : left
      if (smaller.atMs >= last.atMs) break
      heap[at] = smaller
      at = child
    }
    heap[at] = last
  }
}
