/** Rules on single keywords and their neighbours (apiextensions validation.go, ValidateCustomResourceDefinitionOpenAPISchema). */
import type { JsonSchema } from '../../../../crds/json-schema.ts'
import { isSchema } from '../node.ts'
import { checkListKeywords } from './list-keywords.ts'
import { keyed, type Path, type Report } from './report.ts'

export interface Surroundings {
  readonly isRoot: boolean
  /** Inside apiVersion, kind or metadata of the object or of an embedded one. */
  readonly inMeta: boolean
  /** Why no default may be set; undefined: it may. */
  readonly noDefault: string | undefined
}

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const ENVELOPE: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])
const NOT_SUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref']

export function checkKeywords(schema: JsonSchema, path: Path, report: Report): void {
  visit(schema, path, { isRoot: true, inMeta: false, noDefault: undefined }, report)
}

function visit(schema: JsonSchema, path: Path, around: Surroundings, report: Report): void {
  if (report.isFull()) return
  checkStandard(schema, path, around, report)
  checkExtensions(schema, path, report)
  checkListKeywords(schema, path, report)
  for (const [name, child] of Object.entries(schema.properties ?? {}))
    visit(child, keyed(path, 'properties', name), inProperty(schema, name, around), report)
  const { additionalProperties: free, items } = schema
  const inside = { ...around, isRoot: false }
  if (isSchema(free)) {
    const why = around.inMeta ? 'inside additionalProperties applying to object metadata' : around.noDefault
    visit(free, [...path, 'additionalProperties'], { ...inside, noDefault: why }, report)
  }
  if (isSchema(items)) visit(items, [...path, 'items'], inside, report)
  if (isSchema(schema.not)) visit(schema.not, [...path, 'not'], inside, report)
  for (const junctor of ['allOf', 'anyOf', 'oneOf'])
    for (const [i, child] of ((schema[junctor] ?? []) as JsonSchema[]).entries())
      visit(child, [...path, junctor, i], inside, report)
}

function inProperty(schema: JsonSchema, name: string, { isRoot, inMeta, noDefault }: Surroundings): Surroundings {
  const isEnvelope = ENVELOPE.has(name) && (isRoot || schema['x-kubernetes-embedded-resource'] === true)
  const why = isEnvelope && isRoot ? `in top-level ${name}` : noDefault
  return { isRoot: false, inMeta: inMeta || isEnvelope, noDefault: why }
}

function checkStandard(schema: JsonSchema, path: Path, around: Surroundings, report: Report): void {
  const { type = '', additionalProperties: free, properties = {} } = schema
  if (type === 'null') report.forbidden([...path, 'type'], 'type cannot be set to null, use nullable as an alternative')
  else if (type !== '' && !TYPES.includes(type)) report.notSupported([...path, 'type'], type, TYPES)
  if (schema.default !== undefined && around.noDefault !== undefined)
    report.forbidden([...path, 'default'], `must not be set ${around.noDefault}`)
  for (const keyword of NOT_SUPPORTED)
    if (schema[keyword] !== undefined) report.forbidden([...path, keyword], `${keyword} is not supported`)
  if (Array.isArray(schema.items))
    report.forbidden([...path, 'items'], 'items must be a schema object and not an array')
  if (around.inMeta && schema['x-kubernetes-embedded-resource'] === true)
    report.forbidden([...path, 'x-kubernetes-embedded-resource'], 'must not be used inside of resource meta')
  if (schema.uniqueItems === true)
    report.forbidden(
      [...path, 'uniqueItems'],
      'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
    )
  if (free !== undefined && free !== true && Object.keys(properties).length > 0)
    report.forbidden([...path, 'additionalProperties'], 'additionalProperties and properties are mutual exclusive')
  else if (free === false)
    report.forbidden([...path, 'additionalProperties'], 'additionalProperties cannot be set to false')
  checkMultipleOf(schema, path, report)
}

function checkMultipleOf({ multipleOf }: JsonSchema, path: Path, report: Report): void {
  if (typeof multipleOf === 'number' && multipleOf <= 0)
    report.invalid([...path, 'multipleOf'], multipleOf, 'must be greater than 0')
}

function checkExtensions(schema: JsonSchema, path: Path, report: Report): void {
  const { type = '' } = schema
  const mapType = schema['x-kubernetes-map-type'] as string | undefined
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    report.invalid([...path, 'x-kubernetes-preserve-unknown-fields'], false, 'must be true or undefined')
  if (mapType === undefined) return
  const why = 'must be object if x-kubernetes-map-type is specified'
  if (type === '') report.required([...path, 'type'], why)
  else if (type !== 'object') report.invalid([...path, 'type'], type, why)
  if (mapType !== 'atomic' && mapType !== 'granular')
    report.notSupported([...path, 'x-kubernetes-map-type'], mapType, ['atomic', 'granular'])
}
