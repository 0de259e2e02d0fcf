/**
 * Regular expressions of users: RE2's language, matched in linear time and paid for step by step, so that no pattern and
 * no text can hold the server up (JavaScript's own engine backtracks: `^(a+)+$` on 40 characters takes minutes).
 */
import type { Meter } from '../meter.ts'
import { Machine, type Span } from './machine.ts'
import { parse } from './parse.ts'
import { assemble, type Program } from './program.ts'
import { SyntaxProblem } from './syntax.ts'

export interface Regex {
  /** Does it match anywhere in the text? Throws `BudgetSpent`. */
  test(text: string): boolean
  /** Up to `limit` matches, left to right, none overlapping. Throws `BudgetSpent`. */
  findAll(text: string, limit: number): string[]
}

/** Throws an Error in Go's words (`error parsing regexp: …`) for what is no RE2 expression. */
export function compileRegex(pattern: string, meter: Meter): Regex {
  const machine = new Machine(programOf(pattern), meter)
  return {
    test: (text) => machine.test(text),
    findAll(text, limit) {
      const characters = [...text]
      const points = characters.map((one) => one.codePointAt(0) ?? 0)
      const found: string[] = []
      for (let span = machine.find(points, 0); span && found.length < limit; span = machine.find(points, after(span)))
        found.push(characters.slice(span.start, span.end).join(''))
      return found
    },
  }
}

const after = ({ start, end }: Span): number => (end > start ? end : end + 1)

function programOf(pattern: string): Program {
  try {
    return assemble(parse(pattern))
  } catch (cause) {
    if (cause instanceof SyntaxProblem) throw new Error(`error parsing regexp: ${cause.message}`, { cause })
    throw cause
  }
}
