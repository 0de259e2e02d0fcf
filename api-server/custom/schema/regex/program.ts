/** A parsed expression as instructions for a machine that is in many places at once (Thompson's construction). */
import { type Member, type Place, SyntaxProblem, type Tree } from './syntax.ts'

/** As large as Go allows in effect: [a-z]{1,1000} twice fits, nested counts of that kind do not. */
const MAX_INSTRUCTIONS = 5000

export type Instruction =
  | { do: 'take'; member: Member; next: number }
  | { do: 'fork'; first: number; second: number }
  | { do: 'check'; place: Place; next: number }
  | { do: 'match' }

/** What was emitted counts, too: a thousand times a thousand times nothing takes no instruction, but time. */
type Code = Instruction[] & { emitted: number }

export interface Program {
  readonly code: readonly Instruction[]
  readonly start: number
  /** Whether being at a place depends on the next character, other than on its being there. */
  readonly looksAhead: boolean
}

/** Throws `SyntaxProblem` when it would be too large. */
export function assemble(tree: Tree): Program {
  const code: Code = Object.assign<Instruction[], { emitted: number }>([{ do: 'match' }], { emitted: 0 })
  const start = emit(tree, 0, code)
  const looksAhead = code.some((one) => one.do === 'check' && one.place !== 'text-start' && one.place !== 'text-end')
  return { code, start, looksAhead }
}

/** Emits `tree` so that it goes on at `next`; returns where it begins. Built back to front, so nothing is patched. */
function emit(tree: Tree, next: number, code: Code): number {
  if (++code.emitted > 10 * MAX_INSTRUCTIONS) throw new SyntaxProblem('expression too large')
  switch (tree.is) {
    case 'nothing':
      return next
    case 'one':
      return add(code, { do: 'take', member: tree.member, next })
    case 'place':
      return add(code, { do: 'check', place: tree.place, next })
    case 'all':
      return tree.parts.reduceRight((after, part) => emit(part, after, code), next)
    case 'any':
      return tree.parts
        .map((part) => emit(part, next, code))
        .reduceRight((second, first) => add(code, { do: 'fork', first, second }))
    case 'repeat':
      return emitRepeat(tree, next, code)
  }
}

function emitRepeat(tree: Tree & { is: 'repeat' }, next: number, code: Code): number {
  const { part, min, max, greedy } = tree
  let at = next
  if (max === Number.POSITIVE_INFINITY) at = emitStar(part, at, greedy, code)
  else for (let i = min; i < max; i++) at = fork(code, emit(part, at, code), next, greedy)
  for (let i = 0; i < min; i++) at = emit(part, at, code)
  return at
}

function emitStar(part: Tree, next: number, greedy: boolean, code: Code): number {
  const loop = add(code, { do: 'fork', first: next, second: next })
  const body = emit(part, loop, code)
  code[loop] = greedy ? { do: 'fork', first: body, second: next } : { do: 'fork', first: next, second: body }
  return loop
}

function fork(code: Code, into: number, past: number, greedy: boolean): number {
  return add(code, greedy ? { do: 'fork', first: into, second: past } : { do: 'fork', first: past, second: into })
}

function add(code: Code, instruction: Instruction): number {
  if (code.length >= MAX_INSTRUCTIONS) throw new SyntaxProblem('expression too large')
  return code.push(instruction) - 1
}
