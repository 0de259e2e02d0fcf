/** The tree of a parsed regular expression. */

/** Does this code point belong? */
export type Member = (codePoint: number) => boolean

export type Place = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word-edge' | 'no-word-edge'

export type Tree =
  | { readonly is: 'nothing' }
  | { readonly is: 'one'; readonly member: Member }
  | { readonly is: 'place'; readonly place: Place }
  | { readonly is: 'all'; readonly parts: readonly Tree[] }
  | { readonly is: 'any'; readonly parts: readonly Tree[] }
  | {
      readonly is: 'repeat'
      readonly part: Tree
      readonly min: number
      readonly max: number
      readonly greedy: boolean
    }

export class SyntaxProblem extends Error {}

/** Flags in force: (?i) ignore case, (?m) lines, (?s) dot takes newlines, (?U) lazy unless asked. */
export interface Flags {
  readonly i: boolean
  readonly m: boolean
  readonly s: boolean
  readonly U: boolean
}

export const isWord: Member = (c) => (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || c === 95 || (c >= 97 && c <= 122)
