/**
 * Puts every step of a CEL program on the meter: one for the step, and a tenth of the length of what it yields, as in
 * Kubernetes' cost model. Operands of a comparison are paid for down to their last leaf.
 *
 * cel-js has no hook for this, so the nodes of its tree are given an `evaluate` of ours that pays and passes on. A node
 * replaces its own `evaluate` when it first runs; the setter below is for that.
 */
import type { Meter } from '../meter.ts'

type Evaluate = (evaluator: unknown, node: AstNode, context: unknown) => unknown

/** What we rely on of cel-js' ASTNode; `meta` holds what a macro became. */
export interface AstNode {
  readonly op: string
  readonly args: unknown
  readonly start?: number
  evaluate: Evaluate
  readonly meta: { readonly alternate?: unknown; readonly macro?: unknown }
}

/** A string that grows longer than this is a mistake or an attack. */
const MAX_STRING_LENGTH = 4_000_000
const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', 'in'])
/** Steps that hand a growing list on unchanged; their cost is that of the items put in. */
const FREE_RESULTS: ReadonlySet<string> = new Set(['accuPush', 'accuValue', '?:'])

/** All nodes below (and with) `root`, those of expanded macros too. */
export function nodesOf(root: AstNode): ReadonlySet<AstNode> {
  const found = new Set<AstNode>()
  const seen = new Set<unknown>()
  const pending: unknown[] = [root]
  while (pending.length > 0) {
    const one = pending.pop()
    if (one === null || typeof one !== 'object' || seen.has(one)) continue
    seen.add(one)
    if (isNode(one, root)) {
      found.add(one)
      pending.push(one.args, one.meta.alternate, one.meta.macro)
    } else pending.push(...Object.values(one))
  }
  return found
}

const isNode = (one: object, root: AstNode): one is AstNode => one.constructor === root.constructor

export function putOnMeter(nodes: ReadonlySet<AstNode>, meter: Meter): void {
  const compared = new Set([...nodes].filter(({ op }) => COMPARISONS.has(op)).flatMap(({ args }) => args as AstNode[]))
  for (const node of nodes) meterNode(node, meter, compared.has(node))
}

function meterNode(node: AstNode, meter: Meter, isCompared: boolean): void {
  let inner: Evaluate = node.evaluate
  const isFree = FREE_RESULTS.has(node.op)
  const metered: Evaluate = (evaluator, ast, context) => {
    meter.spend(1)
    const result = inner.call(node, evaluator, ast, context)
    if (isCompared) payAll(result, meter)
    else if (!isFree) payFor(result, meter)
    return result
  }
  Object.defineProperty(node, 'evaluate', {
    get: () => metered,
    set: (replaced: Evaluate) => {
      inner = replaced
    },
  })
}

function payFor(result: unknown, meter: Meter): void {
  if (typeof result === 'string') payForText(result, meter)
  else if (Array.isArray(result)) meter.spend(result.length / 10)
  else if (result instanceof Map) meter.spend(result.size / 10)
}

function payForText(text: string, meter: Meter): void {
  if (text.length > MAX_STRING_LENGTH) throw new Error(`a string longer than ${MAX_STRING_LENGTH} characters`)
  meter.spend(text.length / 10)
}

function payAll(value: unknown, meter: Meter): void {
  if (typeof value === 'string') payForText(value, meter)
  else if (Array.isArray(value)) for (const item of value) payAll(item, meter)
  else if (value instanceof Map) for (const inside of value.values()) payAll(inside, meter)
  meter.spend(1)
}
