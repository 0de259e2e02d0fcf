/** One CEL expression: parsed, type-checked, metered. Errors are worded as Kubernetes' compiler words them. */
import type { Environment } from '@marcbachmann/cel-js'
import type { Meter } from '../meter.ts'
import { compileRegex } from '../regex/index.ts'
import { type AstNode, nodesOf, putOnMeter } from './cost.ts'
import { ownName, shownName } from './functions/names.ts'

export interface Program {
  readonly type: string
  readonly usesOldSelf: boolean
  /** Throws what cel-js throws, or `BudgetSpent`. */
  run(context: Record<string, unknown>): unknown
}

/** What keeps an expression from compiling, in one sentence and a picture of the place. */
export class CompileProblem extends Error {}

/** Longer expressions, deeper ones and ones of more parts are refused. */
const MAX_EXPRESSION_LENGTH = 20_000

/** Throws `CompileProblem`. */
export function compileExpression(environment: Environment, expression: string, meter: Meter): Program {
  if (expression.length > MAX_EXPRESSION_LENGTH)
    throw new CompileProblem(
      `compilation failed: ERROR: the expression is longer than ${MAX_EXPRESSION_LENGTH} characters`,
    )
  const parsed = parseOrSay(environment, expression)
  const nodes = nodesOf(parsed.ast as unknown as AstNode)
  for (const node of nodes) {
    checkRegexLiteral(expression, node, meter)
    useOwnFunction(node)
    checkOperandOfHas(node)
  }
  const { valid, type, error } = parsed.check()
  if (!valid || type === undefined) throw problem(expression, error)
  // Type checking is what turns names into constants, so the tree is walked again.
  putOnMeter(nodesOf(parsed.ast as unknown as AstNode), meter)
  return { type, usesOldSelf: [...nodes].some(isOldSelf), run: (context) => parsed(context) }
}

const isOldSelf = ({ op, args }: AstNode): boolean => op === 'id' && args === 'oldSelf'

function parseOrSay(environment: Environment, expression: string) {
  try {
    return environment.parse(expression)
  } catch (error) {
    throw problem(expression, error)
  }
}

/** cel-js' own `matches` backtracks, its `join` and `lowerAscii` differ from CEL's: calls go to ours. */
function useOwnFunction({ op, args }: AstNode): void {
  if (op !== 'rcall' && op !== 'call') return
  const call = args as unknown[]
  if (typeof call[0] === 'string') call[0] = ownName(call[0])
}

const TAKES_REGEX: ReadonlySet<string> = new Set(['matches', 'find', 'findAll'])

/** A regular expression that is written out is compiled with the rule, so that a bad one is refused with it. */
function checkRegexLiteral(expression: string, { op, args }: AstNode, meter: Meter): void {
  const [name, , [operand] = []] = op === 'rcall' ? (args as [string, unknown, AstNode[]]) : []
  if (name === undefined || !TAKES_REGEX.has(name) || operand?.op !== 'value' || typeof operand.args !== 'string')
    return
  try {
    compileRegex(operand.args, meter)
  } catch (error) {
    throw problem(expression, { summary: `invalid matches argument: ${(error as Error).message}`, range: operand })
  }
}

interface Macro {
  typeCheck(checker: { check(node: unknown, context: unknown): unknown }, macro: unknown, context: unknown): unknown
}

/** cel-js takes has(self.anything) on trust; we check the field as any other. */
function checkOperandOfHas({ op, args, meta }: AstNode): void {
  const [name, [operand] = []] = op === 'call' ? (args as [unknown, unknown[]]) : []
  if (name !== 'has' || !meta.macro) return
  const macro = meta.macro as Macro
  const check = macro.typeCheck
  macro.typeCheck = (checker, self, context) => {
    const type = check(checker, self, context)
    checker.check(operand, context)
    return type
  }
}

interface CelError {
  readonly summary?: string
  readonly range?: { readonly start?: number }
}

function problem(expression: string, error: unknown): CompileProblem {
  const { summary, range } = error as CelError
  const said = wording(summary ?? (error instanceof Error ? error.message : String(error)))
  const before = expression.slice(0, range?.start ?? 0).split('\n')
  const [line, column] = [before.length, before.at(-1)?.length ?? 0]
  const shown = expression.split('\n')[line - 1] ?? ''
  const picture = `\n | ${shown}\n | ${'.'.repeat(column)}^`
  return new CompileProblem(`compilation failed: ERROR: <input>:${line}:${column + 1}: ${said}${picture}`)
}

/** cel-js' sentences → cel-go's, where both have one for the same thing. */
export function wording(text: string): string {
  const own = shownName(text)
  const field = /^No such key: (.*)$/s.exec(own)
  if (field) return `undefined field '${field[1]}'`
  const variable = /^Unknown variable: (.*)$/s.exec(own)
  if (variable) return `undeclared reference to '${variable[1]}' (in container '')`
  return own.replace(/^[A-Z](?=[a-z ])/, (first) => first.toLowerCase())
}
