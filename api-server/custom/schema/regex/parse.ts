/**
 * Parses RE2's syntax (https://github.com/google/re2/wiki/Syntax), which is what `pattern` and CEL's `matches` mean in
 * Kubernetes. What RE2 refuses (look-around, back references) is refused here in Go's words.
 * Longer than 250 lines because a recursive-descent parser is one piece: every method reads the same cursor.
 */
import { anyCase, not, oneOf, perlClass, posixClass, unicodeClass } from './classes.ts'
import { type Flags, type Member, SyntaxProblem, type Tree } from './syntax.ts'

/** RE2's own bound on one counted repetition. */
const MAX_REPEAT = 1000
const MAX_NESTING = 200
const MAX_PATTERN_LENGTH = 10_000

const NO_FLAGS: Flags = { i: false, m: false, s: false, U: false }
const NOTHING: Tree = { is: 'nothing' }
const ESCAPES: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['v', 11],
])

export function parse(pattern: string): Tree {
  if (pattern.length > MAX_PATTERN_LENGTH) throw new SyntaxProblem('expression too large')
  const parser = new Parser(pattern)
  const tree = parser.alternatives(NO_FLAGS, 0)
  if (!parser.done()) throw new SyntaxProblem(`unexpected ): \`${pattern}\``)
  return tree
}

class Parser {
  readonly #points: readonly string[]
  readonly #pattern: string
  #at = 0

  constructor(pattern: string) {
    this.#pattern = pattern
    this.#points = [...pattern]
  }

  done(): boolean {
    return this.#at >= this.#points.length
  }

  alternatives(flags: Flags, depth: number): Tree {
    if (depth > MAX_NESTING) throw new SyntaxProblem('expression nests too deeply')
    let inForce = flags
    const options: Tree[] = []
    let parts: Tree[] = []
    while (!this.done() && this.#peek() !== ')') {
      if (this.#take('|')) {
        options.push({ is: 'all', parts })
        parts = []
        continue
      }
      const changed = this.#flagGroup(inForce)
      if (changed) inForce = changed
      else parts.push(this.#repeated(inForce, depth))
    }
    options.push({ is: 'all', parts })
    return options.length === 1 && options[0] ? options[0] : { is: 'any', parts: options }
  }

  #peek(ahead = 0): string {
    return this.#points[this.#at + ahead] ?? ''
  }

  #next(): string {
    const point = this.#points[this.#at++]
    if (point === undefined) throw new SyntaxProblem('trailing backslash at end of expression')
    return point
  }

  #take(text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.#peek(i) !== text[i]) return false
    this.#at += text.length
    return true
  }

  /** `(?i)`: flags for the rest of the group. Undefined when what follows is something else. */
  #flagGroup(flags: Flags): Flags | undefined {
    const [start, changed] = [this.#at, this.#flags(flags)]
    if (changed && this.#take(')')) return changed
    this.#at = start
    return undefined
  }

  /** `(?i` up to `:` or `)`. */
  #flags(flags: Flags): Flags | undefined {
    if (!this.#take('(?')) return undefined
    const changed = { ...flags }
    for (let on = true; !this.done(); ) {
      const letter = this.#peek()
      if (letter === ')' || letter === ':') return changed
      if (letter === '-' && on) on = false
      else if (letter === 'i' || letter === 'm' || letter === 's' || letter === 'U') changed[letter] = on
      else return undefined
      this.#at++
    }
    return undefined
  }

  #repeated(flags: Flags, depth: number): Tree {
    const part = this.#atom(flags, depth)
    const start = this.#at
    const count = this.#count()
    if (!count) return part
    const lazy = this.#take('?')
    const end = this.#at
    if (this.#count()) {
      const written = this.#points.slice(start, this.#at).join('')
      throw new SyntaxProblem(`invalid nested repetition operator: \`${written}\``)
    }
    this.#at = end
    return { is: 'repeat', part, ...count, greedy: lazy === flags.U }
  }

  #count(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (this.#take('?')) return { min: 0, max: 1 }
    const found = this.#peek() === '{' ? /^\{(\d+)(,(\d*))?\}/.exec(this.#rest(16)) : null
    if (!found) return undefined
    this.#at += found[0].length
    const min = Number(found[1])
    const max = found[2] === undefined ? min : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3])
    if (min > MAX_REPEAT || (max !== Number.POSITIVE_INFINITY && max > MAX_REPEAT) || max < min)
      throw new SyntaxProblem(`invalid repeat count: \`${found[0]}\``)
    return { min, max }
  }

  #rest(length: number): string {
    return this.#points.slice(this.#at, this.#at + length).join('')
  }

  #atom(flags: Flags, depth: number): Tree {
    const point = this.#next()
    switch (point) {
      case '(':
        return this.#group(flags, depth)
      case '[':
        return one(this.#set(), flags)
      case '.':
        return { is: 'one', member: flags.s ? () => true : (c) => c !== 10 }
      case '^':
        return { is: 'place', place: flags.m ? 'line-start' : 'text-start' }
      case '$':
        return { is: 'place', place: flags.m ? 'line-end' : 'text-end' }
      case '\\':
        return this.#escape(flags)
      case '*':
      case '+':
      case '?':
        throw new SyntaxProblem(`missing argument to repetition operator: \`${point}\``)
      default:
        return literal(point, flags)
    }
  }

  #group(flags: Flags, depth: number): Tree {
    let inside = flags
    if (this.#peek() === '?') {
      const name = /^\?P?<([A-Za-z_]\w*)>/.exec(this.#rest(100))
      if (name) this.#at += name[0].length
      else inside = this.#groupFlags(flags)
    }
    const tree = this.alternatives(inside, depth + 1)
    if (!this.#take(')')) throw new SyntaxProblem(`missing closing ): \`${this.#pattern}\``)
    return tree
  }

  #groupFlags(flags: Flags): Flags {
    this.#at-- // back onto the parenthesis
    const asked = this.#rest(4)
    const changed = this.#flags(flags)
    if (changed && this.#take(':')) return changed
    throw new SyntaxProblem(`invalid or unsupported Perl syntax: \`${/^\(\?<?[^\w]?/.exec(asked)?.[0] ?? asked}\``)
  }

  #escape(flags: Flags): Tree {
    const letter = this.#peek()
    const place = PLACES.get(letter)
    if (place) {
      this.#at++
      return { is: 'place', place }
    }
    if (this.#take('Q')) return this.#quoted(flags)
    const set = this.#escapedSet()
    return set ? one(set, flags) : literal(String.fromCodePoint(this.#escapedPoint()), flags)
  }

  #quoted(flags: Flags): Tree {
    const parts: Tree[] = []
    while (!this.done() && !this.#take('\\E')) parts.push(literal(this.#next(), flags))
    return parts.length === 0 ? NOTHING : { is: 'all', parts }
  }

  /** \d, \pL, \P{Greek} after the backslash; undefined when it is an escaped character. */
  #escapedSet(): Member | undefined {
    const perl = perlClass(this.#peek())
    if (perl) {
      this.#at++
      return perl
    }
    const found = /^([pP])(\{([^}]*)\}|.)/u.exec(this.#rest(64))
    if (!found) return undefined
    this.#at += [...found[0]].length
    return unicodeClass(found[3] ?? found[2] ?? '', found[1] === 'P')
  }

  #escapedPoint(): number {
    const hex = /^x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))/.exec(this.#rest(10))
    const octal = hex ? null : /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(this.#rest(3))
    if (hex) return this.#numbered(hex[0], Number.parseInt(hex[1] ?? hex[2] ?? '', 16))
    if (octal) return this.#numbered(octal[0], Number.parseInt(octal[0], 8))
    const letter = this.#next()
    const named = ESCAPES.get(letter)
    if (named !== undefined) return named
    if (/[A-Za-z0-9]/.test(letter)) throw new SyntaxProblem(`invalid escape sequence: \`\\${letter}\``)
    return letter.codePointAt(0) ?? 0
  }

  #numbered(text: string, point: number): number {
    if (point > 0x10ffff) throw new SyntaxProblem(`invalid escape sequence: \`\\${text}\``)
    this.#at += text.length
    return point
  }

  /** After `[`. */
  #set(): Member {
    const negated = this.#take('^')
    const members: Member[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.done()) throw new SyntaxProblem(`missing closing ]: \`${this.#pattern}\``)
      members.push(this.#setPart())
    }
    this.#at++
    return negated ? not(oneOf(members)) : oneOf(members)
  }

  #setPart(): Member {
    const posix = this.#peek() === '[' ? /^\[:(\^?\w+):\]/.exec(this.#rest(16)) : null
    if (posix) {
      this.#at += posix[0].length
      return posixClass(posix[1] ?? '')
    }
    const escaped = this.#take('\\')
    const named = escaped ? this.#escapedSet() : undefined
    if (named) return named
    const from = escaped ? this.#escapedPoint() : (this.#next().codePointAt(0) ?? 0)
    if (this.#peek() !== '-' || this.#peek(1) === ']' || this.#peek(1) === '') return (c) => c === from
    this.#at++
    const to = this.#take('\\') ? this.#escapedPoint() : (this.#next().codePointAt(0) ?? 0)
    if (to < from)
      throw new SyntaxProblem(
        `invalid character class range: \`${String.fromCodePoint(from)}-${String.fromCodePoint(to)}\``,
      )
    return (c) => c >= from && c <= to
  }
}

const PLACES = new Map([
  ['A', 'text-start'],
  ['z', 'text-end'],
  ['b', 'word-edge'],
  ['B', 'no-word-edge'],
] as const) as ReadonlyMap<string, 'text-start' | 'text-end' | 'word-edge' | 'no-word-edge'>

const one = (member: Member, flags: Flags): Tree => ({ is: 'one', member: flags.i ? anyCase(member) : member })

function literal(point: string, flags: Flags): Tree {
  const wanted = point.codePointAt(0)
  return one((c) => c === wanted, flags)
}
