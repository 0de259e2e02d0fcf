/** Which of the globs in use match which of the names there are, kept while both come and go. */
import { compileGlob, type Glob, literalPrefix } from '../../crds/glob.ts'
import { createNameIndex } from './name-index.ts'

export interface Patterns {
  /** Those that match the name. */
  of(name: string): readonly string[]
  /** Names that some pattern matches. */
  matched(): Iterable<string>
  /** As often as it is used; `onMatch` hears of every name that a pattern which is new, or no longer used, matches. */
  use(pattern: string): void
  release(pattern: string): void
  /** Once for each name. */
  addName(name: string): void
  removeName(name: string): void
}

interface Known {
  readonly glob: Glob
  readonly names: Set<string>
  uses: number
}

const NONE: readonly string[] = []

export function createPatterns(onMatch: (name: string, pattern: string, by: 1 | -1) => void): Patterns {
  const known = new Map<string, Known>()
  const byBeginning = createBeginnings()
  const names = createNameIndex()
  const against = new Map<string, readonly string[]>()
  const connect = (name: string, pattern: string, { names: own }: Known): void => {
    own.add(name)
    against.set(name, [...(against.get(name) ?? NONE), pattern])
  }
  const begin = (pattern: string): Known => {
    const entry: Known = { glob: compileGlob(pattern), names: new Set(), uses: 0 }
    known.set(pattern, entry)
    byBeginning.add(pattern)
    for (const name of names.startingWith(literalPrefix(pattern))) {
      if (!entry.glob(name)) continue
      connect(name, pattern, entry)
      onMatch(name, pattern, 1)
    }
    return entry
  }
  const end = (pattern: string, entry: Known): void => {
    known.delete(pattern)
    byBeginning.remove(pattern)
    for (const name of entry.names) {
      against.set(name, without(against.get(name), pattern))
      if (against.get(name)?.length === 0) against.delete(name)
      onMatch(name, pattern, -1)
    }
  }
  return {
    ...{ of: (name) => against.get(name) ?? NONE, matched: () => against.keys() },
    use: (pattern) => {
      const entry = known.get(pattern) ?? begin(pattern)
      entry.uses++
    },
    release: (pattern) => {
      const entry = known.get(pattern)
      if (entry && --entry.uses === 0) end(pattern, entry)
    },
    addName: (name) => {
      names.add(name)
      for (const pattern of byBeginning.mayMatch(name)) {
        const entry = known.get(pattern)
        if (entry?.glob(name)) connect(name, pattern, entry)
      }
    },
    removeName: (name) => {
      names.remove(name)
      for (const pattern of against.get(name) ?? NONE) known.get(pattern)?.names.delete(name)
      against.delete(name)
    },
  }
}

function without(patterns: readonly string[] = NONE, gone: string): readonly string[] {
  return patterns.filter((each) => each !== gone)
}

/** A glob is tried only where its literal beginning is that of the name. */
function createBeginnings() {
  const byLength = new Map<number, Map<string, Set<string>>>()
  return {
    add: (pattern: string): void => {
      const beginning = literalPrefix(pattern)
      const each = byLength.get(beginning.length) ?? new Map<string, Set<string>>()
      byLength.set(beginning.length, each.set(beginning, (each.get(beginning) ?? new Set()).add(pattern)))
    },
    remove: (pattern: string): void => {
      const beginning = literalPrefix(pattern)
      const each = byLength.get(beginning.length)
      const same = each?.get(beginning)
      same?.delete(pattern)
      if (same?.size === 0) each?.delete(beginning)
      if (each?.size === 0) byLength.delete(beginning.length)
    },
    mayMatch: function* (name: string): Iterable<string> {
      for (const [length, each] of byLength) yield* each.get(name.slice(0, length)) ?? NONE
    },
  }
}
