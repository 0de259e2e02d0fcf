/**
 * What changed, in order, for readers that each remember how far they have read: who reads late pays for what changed
 * since, and nobody pays for readers that never come back. Bounded: who is too far behind reads everything anew.
 */
export interface Journal<T> {
  /** Where a reader that has seen everything goes on. */
  readonly head: number
  add(item: T): void
  /** What was added from there on, each once; undefined: no longer known. */
  since(at: number): ReadonlySet<T> | undefined
}

const NOTHING: ReadonlySet<never> = new Set()

export function createJournal<T>(limit: number): Journal<T> {
  let items: T[] = []
  let forgotten = 0
  return {
    get head() {
      return forgotten + items.length
    },
    add: (item) => {
      items.push(item)
      if (items.length < 2 * limit) return
      items = items.slice(limit)
      forgotten += limit
    },
    since: (at) => {
      if (at < forgotten) return undefined
      return at === forgotten + items.length ? NOTHING : new Set(items.slice(at - forgotten))
    },
  }
}
