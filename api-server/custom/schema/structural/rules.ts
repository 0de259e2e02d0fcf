/** x-kubernetes-validations in a CRD: well-formed, compiling on the types of the schema, oldSelf only where there is one. */
import type { JsonSchema } from '../../../../crds/json-schema.ts'
import { dotted } from '../../../registry/schema-causes.ts'
import { MessageProblem, nodesWithRules, ruleCompiler } from '../cel/compile-rules.ts'
import { Declarations } from '../cel/declare.ts'
import { createEnvironment } from '../cel/environment.ts'
import { resolveFieldPath } from '../cel/field-path.ts'
import { CompileProblem } from '../cel/program.ts'
import { createMeter } from '../meter.ts'
import { type Rule, type SchemaNode, schemaNode } from '../node.ts'
import { keyed, type Path, type Report } from './report.ts'

const RULES = 'x-kubernetes-validations'
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
const MAX_MESSAGE_LENGTH = 2048
/** Rules of one schema; each is compiled on every start. */
const MAX_RULES = 1000
/** What compiling the rules' regular expressions may cost. */
const BUDGET = 1_000_000

interface Place {
  readonly node: SchemaNode
  readonly path: Path
  /** Where the part of the schema begins whose values have no past; undefined: they have one. */
  readonly withoutPast: Path | undefined
}

export function checkRules(schema: JsonSchema, path: Path, report: Report): void {
  const root = schemaNode(schema)
  const withRules = nodesWithRules(root)
  if (withRules.size === 0) return
  const places = [...placesOf({ node: root, path, withoutPast: undefined }, withRules)]
  const rules = places.reduce((sum, { node }) => sum + node.rules.length, 0)
  if (rules > MAX_RULES) {
    report.invalid(path, rules, `must not have more than ${MAX_RULES} validation rules`)
    return
  }
  const before = report.violations.length
  for (const place of places) checkForms(place, report)
  if (report.violations.length === before) compileAll(places, root, report)
}

function* placesOf(place: Place, withRules: ReadonlySet<SchemaNode>): Generator<Place> {
  const { node, path } = place
  if (!withRules.has(node)) return
  if (node.rules.length > 0) yield place
  const inMap = place.withoutPast ?? (node.atomicMap ? path : undefined)
  for (const [name, child] of node.properties)
    yield* placesOf({ node: child, path: keyed(path, 'properties', name), withoutPast: inMap }, withRules)
  if (node.additional && node.additional !== true)
    yield* placesOf({ node: node.additional, path: [...path, 'additionalProperties'], withoutPast: inMap }, withRules)
  const inList = place.withoutPast ?? (node.listType === 'map' ? undefined : path)
  if (node.items) yield* placesOf({ node: node.items, path: [...path, 'items'], withoutPast: inList }, withRules)
}

function checkForms({ node, path }: Place, report: Report): void {
  for (const [i, rule] of node.rules.entries()) {
    const at = [...path, RULES, i]
    checkTexts(rule, at, report)
    if (rule.reason !== undefined && rule.reason !== '' && !REASONS.includes(rule.reason))
      report.notSupported([...at, 'reason'], rule.reason, REASONS)
    if ((rule.fieldPath ?? '') !== '') checkFieldPath(rule.fieldPath ?? '', node, [...at, 'fieldPath'], report)
  }
}

function checkTexts({ rule, message = '', messageExpression = '' }: Rule, at: Path, report: Report): void {
  const said = message.trim()
  const messageAt = [...at, 'message']
  if (rule.trim() === '') report.required([...at, 'rule'], 'rule is not specified')
  else if (message !== '' && said === '') report.invalid(messageAt, message, 'message must be non-empty if specified')
  else if (/[\n\r]/.test(said)) report.invalid(messageAt, message, 'message must not contain line breaks')
  else if (/[\n\r]/.test(rule.trim()) && said === '')
    report.required(messageAt, 'message must be specified if rule contains line breaks')
  if (message.length > MAX_MESSAGE_LENGTH)
    report.invalid(messageAt, message, `message must be no longer than ${MAX_MESSAGE_LENGTH} characters`)
  if (messageExpression !== '' && messageExpression.trim() === '')
    report.required([...at, 'messageExpression'], 'messageExpression must be non-empty if specified')
}

function checkFieldPath(text: string, node: SchemaNode, at: Path, report: Report): void {
  if (text.trim() === '') report.invalid(at, text, 'fieldPath must be non-empty if specified')
  else if (/[\n\r]/.test(text)) report.invalid(at, text, 'fieldPath must not contain line breaks')
  else if (resolveFieldPath(text, node) === undefined) report.invalid(at, text, 'fieldPath must be a valid path')
}

function compileAll(places: readonly Place[], root: SchemaNode, report: Report): void {
  const meter = createMeter(BUDGET)
  const environment = createEnvironment(meter)
  const declared = new Declarations(environment, root)
  const typed = places.map((place) => ({ ...place, self: declared.of(place.node) }))
  for (const { node, path, self, withoutPast } of typed) {
    const compile = self && ruleCompiler(environment, self, meter)
    for (const [i, rule] of node.rules.entries()) {
      if (report.isFull()) return
      const at = [...path, RULES, i]
      if (compile) checkRule(rule, compile, at, withoutPast, report)
      else report.invalid([...at, 'rule'], rule.rule, 'CEL cannot see values of this schema, as it has no type')
    }
  }
}

function checkRule(
  rule: Rule,
  compile: ReturnType<typeof ruleCompiler>,
  at: Path,
  withoutPast: Path | undefined,
  report: Report,
): void {
  try {
    const { program } = compile(rule)
    if (!program.usesOldSelf && rule.optionalOldSelf !== undefined)
      report.invalid([...at, 'optionalOldSelf'], rule.optionalOldSelf, 'may not be set if oldSelf is not used in rule')
    if (program.usesOldSelf && withoutPast) {
      const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${dotted(withoutPast)}`
      report.invalid([...at, 'rule'], rule.rule, why)
    }
  } catch (error) {
    if (error instanceof MessageProblem)
      report.invalid([...at, 'messageExpression'], rule.messageExpression, error.message)
    else if (error instanceof CompileProblem) report.invalid([...at, 'rule'], rule.rule, error.message)
    else throw error
  }
}
