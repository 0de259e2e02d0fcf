/** Runs a schema's rules on an object, in the order and with the words of kube-apiserver 1.32 (schema/cel/validation.go). */
import { Optional } from '@marcbachmann/cel-js'
import { type Cause, shown } from '../../../registry/errors.ts'
import { canonical } from '../lists.ts'
import type { Meter } from '../meter.ts'
import type { CompiledRule, CompiledRules, RuleTree } from './compile-rules.ts'
import { shownName } from './functions/names.ts'
import type { Program } from './program.ts'

/** Longer messages of a messageExpression are not used. */
const MAX_MESSAGE_LENGTH = 5120
const NO_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run'

export function runRules(rules: CompiledRules, object: unknown, previous: unknown, meter: Meter): Cause[] {
  meter.reset()
  rules.declared.reset()
  const run: Run = { causes: [], meter }
  visit(rules.tree, object, previous, '', run)
  return run.causes
}

interface Run {
  readonly causes: Cause[]
  readonly meter: Meter
}

function visit(tree: RuleTree, value: unknown, old: unknown, path: string, run: Run): void {
  // A null is the business of rules around it.
  if (value === null || value === undefined || run.meter.spent()) return
  if (tree.rules.length > 0) checkNode(tree, value, old ?? undefined, path, run)
  if (Array.isArray(value)) visitList(tree, value, old, path, run)
  else if (typeof value === 'object') visitObject(tree, value as Record<string, unknown>, old, path, run)
}

function visitObject(tree: RuleTree, value: Record<string, unknown>, old: unknown, path: string, run: Run): void {
  const before = tree.node.atomicMap || Array.isArray(old) ? undefined : (old as Record<string, unknown> | undefined)
  for (const [key, inside] of Object.entries(value)) {
    const oldInside = before && Object.hasOwn(before, key) ? before[key] : undefined
    const named = tree.properties.get(key)
    if (named) visit(named, inside, oldInside, path === '' ? key : `${path}.${key}`, run)
    else if (tree.additional) visit(tree.additional, inside, oldInside, `${path}[${key}]`, run)
  }
}

function visitList(tree: RuleTree, list: readonly unknown[], old: unknown, path: string, run: Run): void {
  if (!tree.items) return
  const oldItem = correlation(tree, old)
  for (const [i, item] of list.entries()) visit(tree.items, item, oldItem(item), `${path}[${i}]`, run)
}

/** Only items of a list of type map have a past: that of the item with the same keys. */
function correlation({ node }: RuleTree, old: unknown): (item: unknown) => unknown {
  if (node.listType !== 'map' || !Array.isArray(old)) return () => undefined
  const keyOf = (item: unknown) =>
    canonical(node.listMapKeys.map((key) => (item as Record<string, unknown> | null)?.[key]))
  const items = new Map(old.map((item) => [keyOf(item), item]))
  return (item) => items.get(keyOf(item))
}

function checkNode(tree: RuleTree, value: unknown, old: unknown, path: string, run: Run): void {
  const self = tree.convert(value)
  const oldSelf = old === undefined ? undefined : tree.convert(old)
  for (const compiled of tree.rules) {
    const isOptional = compiled.rule.optionalOldSelf === true
    // A transition has two ends.
    if (compiled.program.usesOldSelf && oldSelf === undefined && !isOptional) continue
    const context = { self, oldSelf: isOptional ? Optional.of(oldSelf) : oldSelf }
    const cause = checkRule(compiled, context, tree.node.type, path, run.meter)
    if (cause) run.causes.push(cause)
    if (run.meter.spent()) return
  }
}

function checkRule(
  compiled: CompiledRule,
  context: Record<string, unknown>,
  type: string,
  path: string,
  meter: Meter,
): Cause | undefined {
  const { result, error } = attempt(compiled.program, context)
  if (meter.spent()) return failure(path, type, NO_BUDGET)
  if (error !== undefined) return failure(path, type, errorSentence(error, compiled))
  if (result === true) return undefined
  const detail = evaluatedMessage(compiled.message, context) ?? ruleMessage(compiled)
  if (meter.spent()) return failure(path, type, NO_BUDGET)
  const field = [path, compiled.fieldPath].filter((part) => part !== '').join('.')
  return failure(field.replaceAll('.[', '['), type, detail, compiled.rule.reason)
}

/** Whatever it throws is an answer: the rule and the object are users'. */
function attempt(program: Program, context: Record<string, unknown>): { result?: unknown; error?: string } {
  try {
    return { result: program.run(context) }
  } catch (error) {
    const { summary } = error as { readonly summary?: string }
    return { error: shownName(summary ?? (error instanceof Error ? error.message : String(error))) }
  }
}

function errorSentence(error: string, { rule }: CompiledRule): string {
  const said = error.replace(/^No such key/, 'no such key').replace(/^Unknown variable/, 'no such attribute(s)')
  const name = ruleName(rule)
  return said.startsWith('no such overload') || said.startsWith('found no matching overload')
    ? `'${said}': call arguments did not match a supported operator, function or macro signature for rule: ${name}`
    : `${said} evaluating rule: ${name}`
}

const ruleName = ({ message = '', rule }: CompiledRule['rule']): string => (message === '' ? rule : message).trim()

const ruleMessage = ({ rule }: CompiledRule): string =>
  (rule.message ?? '') === '' ? `failed rule: ${ruleName(rule)}` : ruleName(rule)

/** What a messageExpression says, if it is fit to be said. */
function evaluatedMessage(message: Program | undefined, context: Record<string, unknown>): string | undefined {
  const { result } = message ? attempt(message, context) : {}
  const text = typeof result === 'string' ? result.trim() : ''
  return text !== '' && text.length <= MAX_MESSAGE_LENGTH && !text.includes('\n') ? text : undefined
}

function failure(field: string, type: string, detail: string, reason = 'FieldValueInvalid'): Cause {
  switch (reason) {
    case 'FieldValueForbidden':
      return { reason, message: `Forbidden: ${detail}`, field }
    case 'FieldValueRequired':
      return { reason, message: `Required value: ${detail}`, field }
    case 'FieldValueDuplicate':
      return { reason, message: `Duplicate value: ${shown(type)}`, field }
    default:
      return { reason: 'FieldValueInvalid', message: `Invalid value: ${shown(type)}: ${detail}`, field }
  }
}
