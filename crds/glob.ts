/**
 * Patterns as Go's path.Match reads them: `*` and `?` stand for anything but `/`, `[a-z]` and `[^a-z]` for one character,
 * `\x` for x itself. A pattern that is badly formed matches nothing. No regular expressions: users write the patterns,
 * and ours takes at most length of pattern × length of name steps.
 */

export type Glob = (name: string) => boolean

type One = (character: string) => boolean
type Token = '*' | One

export function compileGlob(pattern: string): Glob {
  const literal = literalPrefix(pattern)
  if (literal === pattern) return (name) => name === pattern
  const tokens = tokensOf([...pattern])
  return (name) => tokens !== undefined && name.startsWith(literal) && matches(tokens, [...name])
}

/** What every name that matches begins with. */
export function literalPrefix(pattern: string): string {
  const at = pattern.search(/[*?[\\]/)
  return at < 0 ? pattern : pattern.slice(0, at)
}

/** Where a character does not fit, the last `*` takes one more: an earlier one could win nothing by it. */
function matches(tokens: readonly Token[], name: readonly string[]): boolean {
  let [at, token] = [0, 0]
  let retry: { at: number; readonly token: number } | undefined
  while (at < name.length || token < tokens.length) {
    const expected = tokens[token]
    const character = name[at]
    if (expected === '*') {
      token++
      retry = { at, token }
    } else if (expected !== undefined && character !== undefined && expected(character)) {
      at++
      token++
    } else {
      if (!retry || retry.at >= name.length || name[retry.at] === '/') return false
      retry.at++
      at = retry.at
      token = retry.token
    }
  }
  return true
}

function tokensOf(characters: readonly string[]): readonly Token[] | undefined {
  const tokens: Token[] = []
  for (let at = 0; at < characters.length; ) {
    const found = tokenAt(characters, at)
    if (!found) return undefined
    tokens.push(found.token)
    at = found.next
  }
  return tokens
}

function tokenAt(characters: readonly string[], at: number): { token: Token; next: number } | undefined {
  const character = characters[at]
  if (character === '*') return { token: '*', next: at + 1 }
  if (character === '?') return { token: (each) => each !== '/', next: at + 1 }
  if (character === '[') return classAt(characters, at + 1)
  const plain = character === '\\' ? characters[at + 1] : character
  if (plain === undefined) return undefined
  return { token: (each) => each === plain, next: at + (character === '\\' ? 2 : 1) }
}

function classAt(characters: readonly string[], from: number): { token: One; next: number } | undefined {
  const negated = characters[from] === '^'
  const ranges: { readonly low: number; readonly high: number }[] = []
  let at = negated ? from + 1 : from
  while (characters[at] !== ']' || ranges.length === 0) {
    const low = classCharacter(characters, at)
    const high = low && characters[low.next] === '-' ? classCharacter(characters, low.next + 1) : low
    if (!low || !high) return undefined
    ranges.push({ low: low.code, high: high.code })
    at = high.next
  }
  const token: One = (each) => {
    const code = each.codePointAt(0) ?? 0
    return ranges.some(({ low, high }) => low <= code && code <= high) !== negated
  }
  return { token, next: at + 1 }
}

function classCharacter(characters: readonly string[], at: number): { code: number; next: number } | undefined {
  const escaped = characters[at] === '\\'
  const character = characters[escaped ? at + 1 : at]
  if (character === undefined || (!escaped && (character === '-' || character === ']'))) return undefined
  return { code: character.codePointAt(0) ?? 0, next: at + (escaped ? 2 : 1) }
}
