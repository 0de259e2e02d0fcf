/**
 * Names by how they begin. Kept in sorted runs, of which the last two become one whenever they are of like size: adding
 * costs little, also when nobody ever asks, and a question is a few binary searches.
 */
export interface NameIndex {
  /** Once for each name. */
  add(name: string): void
  remove(name: string): void
  has(name: string): boolean
  startingWith(prefix: string): ReadonlySet<string>
}

/** So many that are gone are borne. */
const SLACK = 1_024

export function createNameIndex(): NameIndex {
  const names = new Set<string>()
  let runs: (readonly string[])[] = []
  let fresh: string[] = []
  let size = 0
  const sortFresh = (): void => {
    if (fresh.length === 0) return
    runs.push(fresh.sort())
    fresh = []
    for (let [last, before] = [runs.at(-1), runs.at(-2)]; last && before; [last, before] = [runs.at(-1), runs.at(-2)]) {
      if (before.length > 2 * last.length) break
      runs.splice(-2, 2, merge(before, last))
    }
  }
  return {
    add: (name) => {
      names.add(name)
      fresh.push(name)
      size++
      if (size <= 2 * names.size + SLACK) return
      runs = []
      fresh = [...names]
      size = fresh.length
    },
    remove: (name) => void names.delete(name),
    has: (name) => names.has(name),
    startingWith: (prefix) => {
      sortFresh()
      const found = new Set<string>()
      for (const run of runs)
        for (let at = firstFrom(run, prefix); at < run.length; at++) {
          const name = run[at] ?? ''
          if (!name.startsWith(prefix)) break
          if (names.has(name)) found.add(name)
        }
      return found
    },
  }
}

function merge(some: readonly string[], others: readonly string[]): string[] {
  const all: string[] = []
  let [a, b] = [0, 0]
  while (a < some.length && b < others.length) {
    const [left, right] = [some[a] ?? '', others[b] ?? '']
    all.push(left < right ? left : right)
    if (left < right) a++
    else b++
  }
  for (; a < some.length; a++) all.push(some[a] ?? '')
  for (; b < others.length; b++) all.push(others[b] ?? '')
  return all
}

function firstFrom(run: readonly string[], prefix: string): number {
  let [low, high] = [0, run.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((run[middle] ?? '') < prefix) low = middle + 1
    else high = middle
  }
  return low
}
