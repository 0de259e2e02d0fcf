/** Defaults must be what the schema would let through: pruned already, and valid. */
import type { JsonSchema } from '../../../../crds/json-schema.ts'
import type { Cause } from '../../../registry/errors.ts'
import { canonical } from '../lists.ts'
import { BudgetSpent, createMeter } from '../meter.ts'
import { isSchema, type SchemaNode, schemaNode } from '../node.ts'
import { pruneValue } from '../prune.ts'
import { type CheckValue, valueChecker } from '../values.ts'
import { keyed, type Path, type Report } from './report.ts'

interface Preset {
  readonly path: Path
  readonly schema: JsonSchema
  readonly value: unknown
}

/** Steps of patterns that all defaults of a schema may take. */
const BUDGET = 20_000_000

export function checkPresets(schema: JsonSchema, path: Path, report: Report): void {
  const checkValue = valueChecker(createMeter(BUDGET))
  for (const preset of presetsOf(schema, path)) {
    if (report.isFull()) return
    try {
      checkPreset(preset, checkValue, report)
    } catch (error) {
      if (!(error instanceof BudgetSpent)) throw error
      report.invalid([...preset.path, 'default'], preset.value, 'matching its pattern takes too many steps')
      return
    }
  }
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

function checkPreset({ path, schema, value }: Preset, checkValue: CheckValue, report: Report): void {
  const at = [...path, 'default']
  const node = schemaNode(schema)
  if (hasUnknown(value, node)) report.invalid(at, value, 'must not have unknown fields')
  else for (const cause of checkValue(value, node, '', undefined)) report.invalid(at, value, sentence(cause))
}

function hasUnknown(value: unknown, node: SchemaNode): boolean {
  if (value === null || typeof value !== 'object') return false
  const copy = structuredClone(value)
  pruneValue(copy, node, '', [])
  return canonical(copy) !== canonical(value)
}

/** Without the value, which is the default itself. */
function sentence({ message, field }: Cause): string {
  const plain = message.replace(/^Invalid value: (?:"(?:[^"\\]|\\.)*"|[^:]*): /s, '')
  if (plain === message) return field === '' ? message : `${field}: ${message}`
  return plain.replace(/^body /, 'in body ')
}
