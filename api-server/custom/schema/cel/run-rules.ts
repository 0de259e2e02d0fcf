/** Runs a schema's rules on an object, in the order and with the words of kube-apiserver 1.32 (schema/cel/validation.go). */
import { Optional } from '@marcbachmann/cel-js'
import { type Cause, shown } from '../../../registry/errors.ts'
import type { Meter } from '../meter.ts'
import { isUnchanged, pastField, pastItems } from '../ratchet.ts'
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
  visit(rules.tree, { value: object, old: previous, past: previous, path: '' }, run)
  return run.causes
}

interface Run {
  readonly causes: Cause[]
  readonly meter: Meter
}

/** A value; `old`, what a transition rule compares it with; `past`, what it is to have been to be left alone. */
interface Place {
  readonly value: unknown
  readonly old: unknown
  readonly past: unknown
  readonly path: string
}

function visit(tree: RuleTree, place: Place, run: Run): void {
  const { value } = place
  // A null is the business of rules around it.
  if (value === null || value === undefined || run.meter.spent()) return
  if (tree.rules.length > 0) checkNode(tree, place, run)
  if (Array.isArray(value)) visitList(tree, value, place, run)
  else if (typeof value === 'object') visitObject(tree, value as Record<string, unknown>, place, run)
}

function visitObject(tree: RuleTree, value: Record<string, unknown>, { old, past, path }: Place, run: Run): void {
  const before = tree.node.atomicMap ? undefined : old
  for (const [key, inside] of Object.entries(value)) {
    const of = { value: inside, old: pastField(before, key), past: pastField(past, key) }
    const named = tree.properties.get(key)
    if (named) visit(named, { ...of, path: path === '' ? key : `${path}.${key}` }, run)
    else if (tree.additional) visit(tree.additional, { ...of, path: `${path}[${key}]` }, run)
  }
}

function visitList(tree: RuleTree, list: readonly unknown[], { old, past, path }: Place, run: Run): void {
  if (!tree.items) return
  const oldItem = correlation(tree, old)
  const pastItem = pastItems(past, tree.node)
  for (const [i, item] of list.entries())
    visit(tree.items, { value: item, old: oldItem(item), past: pastItem(item, i), path: `${path}[${i}]` }, run)
}

/** For transitions only items of a list of type map have a past: that of the item with the same keys. */
function correlation({ node }: RuleTree, old: unknown): (item: unknown) => unknown {
  if (node.listType !== 'map') return () => undefined
  const oldItem = pastItems(old, node)
  return (item) => oldItem(item, 0)
}

function checkNode(tree: RuleTree, { value, old, past, path }: Place, run: Run): void {
  const self = tree.convert(value)
  const oldSelf = old === undefined || old === null ? undefined : tree.convert(old)
  for (const compiled of tree.rules) {
    const { usesOldSelf } = compiled.program
    const isOptional = compiled.rule.optionalOldSelf === true
    // A transition has two ends.
    if (usesOldSelf && oldSelf === undefined && !isOptional) continue
    const context = { self, oldSelf: isOptional ? Optional.of(oldSelf) : oldSelf }
    const cause = checkRule(compiled, context, tree.node.type, path, run.meter)
    // A transition is about the change itself: its verdict holds also for none.
    if (cause && (usesOldSelf || run.meter.spent() || !isUnchanged(value, past, tree.node))) run.causes.push(cause)
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
