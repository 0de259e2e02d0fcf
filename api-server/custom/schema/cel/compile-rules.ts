/** x-kubernetes-validations of a whole schema, compiled: a tree in the schema's shape, of the branches that have rules. */
import type { Environment } from '@marcbachmann/cel-js'
import type { Meter } from '../meter.ts'
import type { Rule, SchemaNode } from '../node.ts'
import { Declarations, type Declared } from './declare.ts'
import { createEnvironment } from './environment.ts'
import { resolveFieldPath } from './field-path.ts'
import { CompileProblem, compileExpression, type Program } from './program.ts'

export interface CompiledRule {
  readonly rule: Rule
  readonly program: Program
  readonly message: Program | undefined
  /** Below the node's own path; '' is the node itself. */
  readonly fieldPath: string
}

export interface RuleTree {
  readonly node: SchemaNode
  readonly convert: Declared['convert']
  readonly rules: readonly CompiledRule[]
  readonly properties: ReadonlyMap<string, RuleTree>
  readonly items: RuleTree | undefined
  readonly additional: RuleTree | undefined
}

export interface CompiledRules {
  readonly tree: RuleTree
  readonly declared: Declarations
}

/** Undefined: the schema has no rules. Throws `CompileProblem` for a rule that does not compile. */
export function compileRules(root: SchemaNode, meter: Meter): CompiledRules | undefined {
  const withRules = nodesWithRules(root)
  if (!withRules.has(root)) return undefined
  const environment = createEnvironment(meter)
  const declared = new Declarations(environment, root)
  // All types first: an environment is closed once copies of it are made.
  for (const node of withRules) if (node.rules.length > 0) declared.of(node)
  const tree = compileTree(root, { environment, declared, withRules, meter })
  return { tree, declared }
}

interface Compiler {
  readonly environment: Environment
  readonly declared: Declarations
  readonly withRules: ReadonlySet<SchemaNode>
  readonly meter: Meter
}

/** Every node that has rules, itself or somewhere below. */
export function nodesWithRules(root: SchemaNode): ReadonlySet<SchemaNode> {
  const found = new Set<SchemaNode>()
  const look = (node: SchemaNode): boolean => {
    const below = [...node.properties.values(), node.items, node.additional]
    const has = below.map((one) => one !== undefined && one !== true && look(one)).includes(true)
    if (has || node.rules.length > 0) found.add(node)
    return has || node.rules.length > 0
  }
  look(root)
  return found
}

function compileTree(node: SchemaNode, compiler: Compiler): RuleTree {
  const { declared, withRules } = compiler
  const below = (child: SchemaNode | true | undefined) =>
    child !== undefined && child !== true && withRules.has(child) ? compileTree(child, compiler) : undefined
  const properties = [...node.properties].filter(([, child]) => withRules.has(child))
  const self = node.rules.length > 0 ? declared.of(node) : undefined
  return {
    node,
    convert: self?.convert ?? ((value) => value),
    rules: self ? compileAll(node, self, compiler) : [],
    properties: new Map(properties.map(([name, child]) => [name, compileTree(child, compiler)])),
    items: below(node.items),
    additional: below(node.additional),
  }
}

function compileAll(node: SchemaNode, self: Declared, { environment, meter }: Compiler): CompiledRule[] {
  const compiler = ruleCompiler(environment, self, meter)
  return node.rules.map((rule) => ({
    ...compiler(rule),
    fieldPath: resolveFieldPath(rule.fieldPath ?? '', node) ?? '',
  }))
}

/** Compiles single rules on a value of the type `self`. */
export function ruleCompiler(
  environment: Environment,
  self: Declared,
  meter: Meter,
): (rule: Rule) => Omit<CompiledRule, 'fieldPath'> {
  const withOld = (type: string) =>
    environment.clone().registerVariable('self', self.type).registerVariable('oldSelf', type)
  const plain = withOld(self.type)
  return (rule) => {
    const scope = rule.optionalOldSelf ? withOld(`optional<${self.type}>`) : plain
    const program = compileExpression(scope, rule.rule, meter)
    assertYields(program, 'bool', 'cel expression must evaluate to a bool')
    return { rule, program, message: compileMessage(scope, rule, meter) }
  }
}

export class MessageProblem extends CompileProblem {}

function compileMessage(scope: Environment, { messageExpression }: Rule, meter: Meter): Program | undefined {
  if (messageExpression === undefined || messageExpression === '') return undefined
  try {
    const program = compileExpression(scope, messageExpression, meter)
    assertYields(program, 'string', 'messageExpression must evaluate to a string')
    return program
  } catch (cause) {
    if (!(cause instanceof CompileProblem)) throw cause
    throw new MessageProblem(cause.message.replace(/^compilation failed/, 'messageExpression compilation failed'), {
      cause,
    })
  }
}

/** `dyn` is let through: what cel-js cannot infer is checked when it runs. */
function assertYields({ type }: Program, wanted: string, why: string): void {
  if (type !== wanted && type !== 'dyn') throw new CompileProblem(why)
}
