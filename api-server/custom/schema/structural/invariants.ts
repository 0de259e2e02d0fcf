/** What makes a schema structural (apiextensions schema/validation.go): a type everywhere, and junctors that only narrow. */
import type { JsonSchema } from '../../../../crds/json-schema.ts'
import { createMeter } from '../meter.ts'
import { isSchema } from '../node.ts'
import { compileRegex } from '../regex/index.ts'
import { keyed, type Path, type Report } from './report.ts'

type Level = 'root' | 'item' | 'field'

const PRESERVE = 'x-kubernetes-preserve-unknown-fields'
const EMBEDDED = 'x-kubernetes-embedded-resource'
const INT_OR_STRING = 'x-kubernetes-int-or-string'

export function checkInvariants(schema: JsonSchema, path: Path, report: Report): void {
  visit(schema, 'root', path, report)
}

function visit(schema: JsonSchema, level: Level, path: Path, report: Report): void {
  if (report.isFull()) return
  const { type = '', items, properties = {}, additionalProperties: free } = schema
  if (type === 'array' && items === undefined) report.required([...path, 'items'], 'must be specified')
  if (isSchema(items)) visit(items, 'item', [...path, 'items'], report)
  for (const [name, child] of Object.entries(properties)) visit(child, 'field', keyed(path, 'properties', name), report)
  if (free !== undefined && level === 'root')
    report.forbidden([...path, 'additionalProperties'], 'must not be used at the root')
  if (isSchema(free)) visit(free, 'field', [...path, 'additionalProperties'], report)
  checkExtensions(schema, path, report)
  checkJunctors(schema, path, report, isIntOrString(schema.anyOf), isIntOrString(firstOf(schema.allOf)?.anyOf))
  checkType(schema, level, path, report)
  checkEnvelope(schema, level, path, report)
}

const firstOf = (list: unknown): JsonSchema | undefined => (list as JsonSchema[] | undefined)?.[0]

/** The one place where a junctor may speak of types: the long form of int-or-string. */
function isIntOrString(anyOf: unknown): boolean {
  return JSON.stringify(anyOf) === '[{"type":"integer"},{"type":"string"}]'
}

function checkExtensions(schema: JsonSchema, path: Path, report: Report): void {
  if (schema[INT_OR_STRING] !== true) return
  for (const other of [PRESERVE, EMBEDDED])
    if (schema[other] === true)
      report.invalid([...path, other], true, 'must be false if x-kubernetes-int-or-string is true')
}

const NAMELESS: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

function checkType(schema: JsonSchema, level: Level, path: Path, report: Report): void {
  const { type = '', additionalProperties: free } = schema
  const isEmbedded = schema[EMBEDDED] === true
  const at = [...path, 'type']
  if (isEmbedded && type !== 'object') {
    const why = 'must be object if x-kubernetes-embedded-resource is true'
    if (type === '') report.required(at, why)
    else report.invalid(at, type, why)
  } else if (type === '' && schema[INT_OR_STRING] !== true && schema[PRESERVE] !== true)
    report.required(at, NAMELESS[level])
  if (level === 'root' && type !== '' && type !== 'object') report.invalid(at, type, 'must be object at the root')
  if (isEmbedded && free !== undefined)
    report.forbidden([...path, 'additionalProperties'], 'must not be used if x-kubernetes-embedded-resource is set')
  if (isEmbedded && schema[PRESERVE] !== true && Object.keys(schema.properties ?? {}).length === 0)
    report.required(
      [...path, 'properties'],
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
    )
}

/** apiVersion, kind and metadata are Kubernetes' own; of metadata a schema may only narrow the names. */
function checkEnvelope(schema: JsonSchema, level: Level, path: Path, report: Report): void {
  if (level !== 'root' && schema[EMBEDDED] !== true) return
  for (const [name, wanted] of [
    ['kind', 'string'],
    ['apiVersion', 'string'],
    ['metadata', 'object'],
  ] as const) {
    const child = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : undefined
    const at = keyed(path, 'properties', name)
    if (child && child.type !== wanted) report.invalid([...at, 'type'], child.type ?? '', `must be ${wanted}`)
    if (child && name === 'metadata' && level === 'root' && !narrowsNamesOnly(child))
      report.forbidden(
        at,
        'must not specify anything other than name and generateName, but metadata is implicitly specified',
      )
  }
}

function narrowsNamesOnly(metadata: JsonSchema): boolean {
  const { type: _type, default: _default, properties = {}, ...others } = metadata
  const names = Object.keys(properties)
  return Object.keys(others).length === 0 && names.every((name) => name === 'name' || name === 'generateName')
}

function checkJunctors(schema: JsonSchema, path: Path, report: Report, mayAnyOf: boolean, mayAllOf: boolean): void {
  for (const junctor of ['anyOf', 'allOf', 'oneOf']) {
    if (junctor === 'anyOf' && mayAnyOf) continue
    for (const [i, child] of ((schema[junctor] ?? []) as JsonSchema[]).entries())
      checkNested(child, [...path, junctor, i], report, junctor === 'allOf' && i === 0 && mayAllOf)
  }
  if (isSchema(schema.not)) checkNested(schema.not, [...path, 'not'], report, false)
  checkPattern(schema, path, report)
}

function checkPattern({ pattern = '' }: JsonSchema, path: Path, report: Report): void {
  try {
    compileRegex(String(pattern), createMeter(0))
  } catch (error) {
    const why = `must be a valid regular expression, but isn't: ${(error as Error).message}`
    report.invalid([...path, 'pattern'], pattern, why)
  }
}

/** Fields that one schema under a junctor may name; ajv nests as many blocks of code. */
const MAX_NARROWED = 500

const FORBIDDEN_IN_JUNCTORS: readonly (readonly [string, string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['externalDocs', 'must be undefined to be structural'],
  [PRESERVE, 'must be false to be structural'],
  [EMBEDDED, 'must be false to be structural'],
  [INT_OR_STRING, 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]

/** A schema under a junctor: it may narrow values, not say what there is. */
function checkNested(schema: JsonSchema, path: Path, report: Report, mayAnyOf: boolean): void {
  if (report.isFull()) return
  checkJunctors(schema, path, report, mayAnyOf, false)
  if (isSchema(schema.items)) checkNested(schema.items, [...path, 'items'], report, false)
  for (const [name, child] of Object.entries(schema.properties ?? {}))
    checkNested(child, keyed(path, 'properties', name), report, false)
  if (Object.keys(schema.properties ?? {}).length > MAX_NARROWED)
    report.forbidden([...path, 'properties'], `no junctor may speak of more than ${MAX_NARROWED} fields`)
  for (const [keyword, why] of FORBIDDEN_IN_JUNCTORS)
    if (isSet(schema[keyword])) report.forbidden([...path, keyword], why)
  if (Object.hasOwn(schema.properties ?? {}, 'metadata'))
    report.forbidden(keyed(path, 'properties', 'metadata'), 'must not be specified in a nested context')
}

function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  return value !== undefined && value !== '' && value !== false
}
