/**
 * The least of some counts, asked for before every placement. While counts only grow, one that is above the least stays
 * above it, so the search goes on where it ended.
 */
export interface Least {
  /** Infinity of none; a value without a count has 0. The same list of values is the same object. */
  of(values: readonly string[]): number
  /** Some count shrank. */
  shrunk(): void
}

interface Search {
  readonly shrinks: number
  least: number
  at: number
}

export function createLeast(counts: ReadonlyMap<string, number>): Least {
  const searches = new WeakMap<readonly string[], Search>()
  let shrinks = 0
  const begin = (values: readonly string[]): Search => {
    const search = { shrinks, least: least(values, counts), at: 0 }
    searches.set(values, search)
    return search
  }
  return {
    of: (values) => {
      let search = searches.get(values)
      if (search?.shrinks !== shrinks) search = begin(values)
      if (values.length === 0) return search.least
      while ((counts.get(values[search.at] ?? '') ?? 0) !== search.least)
        if (++search.at === values.length) search = begin(values)
      return search.least
    },
    shrunk: () => void shrinks++,
  }
}

function least(values: readonly string[], counts: ReadonlyMap<string, number>): number {
  let found = Number.POSITIVE_INFINITY
  for (const value of values) found = Math.min(found, counts.get(value) ?? 0)
  return found
}
