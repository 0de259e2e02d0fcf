/** Sets of code points by the names RE2 knows: \d, \pL, [[:alpha:]], and folding of case. */
import { isWord, type Member, SyntaxProblem } from './syntax.ts'

const between =
  (...ranges: readonly (readonly [string, string])[]): Member =>
  (c) =>
    ranges.some(([from, to]) => c >= from.charCodeAt(0) && c <= to.charCodeAt(0))

export const not =
  (member: Member): Member =>
  (c) =>
    !member(c)

export const oneOf =
  (members: readonly Member[]): Member =>
  (c) =>
    members.some((member) => member(c))

const digit = between(['0', '9'])
const space: Member = (c) => c === 32 || c === 9 || c === 10 || c === 12 || c === 13

const PERL: ReadonlyMap<string, Member> = new Map([
  ['d', digit],
  ['D', not(digit)],
  ['s', space],
  ['S', not(space)],
  ['w', isWord],
  ['W', not(isWord)],
])

export const perlClass = (letter: string): Member | undefined => PERL.get(letter)

const POSIX: ReadonlyMap<string, Member> = new Map<string, Member>([
  ['alnum', between(['0', '9'], ['A', 'Z'], ['a', 'z'])],
  ['alpha', between(['A', 'Z'], ['a', 'z'])],
  ['ascii', (c) => c < 128],
  ['blank', (c) => c === 9 || c === 32],
  ['cntrl', (c) => c < 32 || c === 127],
  ['digit', digit],
  ['graph', between(['!', '~'])],
  ['lower', between(['a', 'z'])],
  ['print', between([' ', '~'])],
  ['punct', between(['!', '/'], [':', '@'], ['[', '`'], ['{', '~'])],
  ['space', (c) => space(c) || c === 11],
  ['upper', between(['A', 'Z'])],
  ['word', isWord],
  ['xdigit', between(['0', '9'], ['A', 'F'], ['a', 'f'])],
])

export function posixClass(name: string): Member {
  const negated = name.startsWith('^')
  const member = POSIX.get(negated ? name.slice(1) : name)
  if (!member) throw new SyntaxProblem(`invalid character class range: \`[:${name}:]\``)
  return negated ? not(member) : member
}

/** `L`, `Lu`, `Greek`: general categories and scripts. */
export function unicodeClass(name: string, negated: boolean): Member {
  const opposite = name.startsWith('^') !== negated
  const bare = name.replace(/^\^/, '')
  const pattern = [bare, `Script=${bare}`].map(compiled).find((one) => one !== undefined)
  if (!/^\w+$/.test(bare) || !pattern) throw new SyntaxProblem(`invalid character class range: \`\\p{${name}}\``)
  const member: Member = (c) => pattern.test(String.fromCodePoint(c))
  return opposite ? not(member) : member
}

function compiled(property: string): RegExp | undefined {
  try {
    // A single code point is tested with it: nothing to backtrack over.
    return new RegExp(`^\\p{${property}}$`, 'u')
  } catch {
    return undefined // no such property; the caller says so
  }
}

/** Whether either case of a code point is a member. */
export const anyCase =
  (member: Member): Member =>
  (c) => {
    if (member(c)) return true
    const text = String.fromCodePoint(c)
    return single(text.toLowerCase(), member) || single(text.toUpperCase(), member)
  }

function single(text: string, member: Member): boolean {
  const c = text.codePointAt(0)
  return c !== undefined && String.fromCodePoint(c) === text && member(c)
}
