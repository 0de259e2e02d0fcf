/** Defaults must be what the schema would let through: pruned already, and valid. */
import type { JsonSchema } from '../../../../crds/json-schema.ts'
import type { Cause } from '../../../registry/errors.ts'
import { canonical } from '../lists.ts'
import { BudgetSpent, createMeter } from '../meter.ts'
import { isSchema, MAX_NODES, schemaNode } from '../node.ts'
import { prune } from '../prune.ts'
import { causesOf } from '../value-causes.ts'
import { translate, validatorOf } from '../values.ts'
import { keyed, type Path, type Report } from './report.ts'

interface Preset {
  readonly path: Path
  readonly schema: JsonSchema
  readonly value: unknown
}

/** Steps of patterns that all defaults of a schema may take. */
const BUDGET = 20_000_000

export function checkPresets(schema: JsonSchema, path: Path, report: Report): void {
  const presets = [...presetsOf(schema, path)]
  const fitting = presets.filter((preset) => hasNothingUnknown(preset, report))
  if (fitting.length === 0) return
  const parts = fitting.reduce((sum, preset) => sum + sizeOf(preset.schema), 0)
  if (parts > MAX_NODES) report.invalid(path, undefined, `must not nest defaults in more than ${MAX_NODES} parts`)
  else checkValid(fitting, report)
}

/** Outside of junctors; there, none may be. */
function* presetsOf(schema: JsonSchema, path: Path): Generator<Preset> {
  if (schema.default !== undefined && schema.default !== null) yield { path, schema, value: schema.default }
  for (const [name, child] of Object.entries(schema.properties ?? {}))
    yield* presetsOf(child, keyed(path, 'properties', name))
  for (const keyword of ['items', 'additionalProperties'] as const) {
    const child = schema[keyword]
    if (isSchema(child)) yield* presetsOf(child, [...path, keyword])
  }
}

function hasNothingUnknown({ path, schema, value }: Preset, report: Report): boolean {
  // Wrapped, because at the root of an object its envelope would be known.
  const wrapper = schemaNode({ type: 'object', properties: { value: schema } })
  const wrapped = { value: structuredClone(value) }
  prune(wrapped, wrapper)
  if (canonical(wrapped.value) === canonical(value)) return true
  report.invalid([...path, 'default'], value, 'must not have unknown fields')
  return false
}

const sizeOf = (schema: JsonSchema): number => {
  let size = 0
  const pending = [schema]
  for (let one = pending.pop(); one; one = pending.pop()) {
    size++
    pending.push(...Object.values(one.properties ?? {}), ...[one.items, one.additionalProperties].filter(isSchema))
  }
  return size
}

/** One validator for all of them: each is a property of one object. */
function checkValid(presets: readonly Preset[], report: Report): void {
  const properties = Object.fromEntries(presets.map(({ schema }, i) => [`preset${i}`, schema]))
  const translated = translate({ type: 'object', properties })
  const validate = validatorOf(translated, createMeter(BUDGET), true)
  for (const [i, { path, value }] of presets.entries()) {
    try {
      if (validate({ [`preset${i}`]: value })) continue
      const subject = { [`preset${i}`]: value }
      for (const cause of causesOf(validate.errors ?? [], subject, translated))
        report.invalid([...path, 'default'], value, sentence(cause, `preset${i}`))
    } catch (error) {
      if (!(error instanceof BudgetSpent)) throw error
      report.invalid([...path, 'default'], value, 'matching its pattern takes too many steps')
      return
    }
  }
}

/** Without the value, which is the default itself, and with the path below it. */
function sentence({ message, field }: Cause, name: string): string {
  const below = field.slice(name.length).replace(/^\./, '')
  const plain = message.replace(/^Invalid value: (?:"(?:[^"\\]|\\.)*"|[^:]*): /s, '').replaceAll(name, '')
  return /^(?:Required|Unsupported|Too|Duplicate)/.test(message)
    ? `${below}: ${message}`.replace(/^: /, '')
    : plain.trim()
}
