import { compileGlob, type Glob, literalPrefix } from '../../crds/glob.ts'

/** Which of many globs match a name. A glob is tried only where its literal beginning is that of the name. */
export interface Patterns {
  of(name: string): readonly string[]
}

const NONE: readonly string[] = []

export function createPatterns(patterns: Iterable<string>): Patterns {
  const byPrefix = new Map<string, { readonly pattern: string; readonly glob: Glob }[]>()
  for (const pattern of new Set(patterns)) {
    const prefix = literalPrefix(pattern)
    const each = { pattern, glob: compileGlob(pattern) }
    const known = byPrefix.get(prefix)
    if (known) known.push(each)
    else byPrefix.set(prefix, [each])
  }
  const lengths = [...new Set([...byPrefix.keys()].map(({ length }) => length))]
  const memo = new Map<string, readonly string[]>()
  const find = (name: string): readonly string[] => {
    const found = lengths
      .flatMap((length) => byPrefix.get(name.slice(0, length)) ?? [])
      .filter(({ glob }) => glob(name))
      .map(({ pattern }) => pattern)
    return found.length > 0 ? found : NONE
  }
  return {
    of: (name) => {
      if (byPrefix.size === 0) return NONE
      const known = memo.get(name) ?? find(name)
      memo.set(name, known)
      return known
    },
  }
}
