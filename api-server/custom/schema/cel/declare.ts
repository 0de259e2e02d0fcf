/**
 * The schema as CEL types, and JSON values as values of these types: integers become int (BigInt), numbers double, dates
 * timestamps, objects messages whose fields are known, so that a rule which names a field that is not there is refused
 * when the CRD is written.
 */
import type { Environment } from '@marcbachmann/cel-js'
import { Duration } from '@marcbachmann/cel-js/evaluator'
import { durationNanos } from '../formats.ts'
import type { SchemaNode } from '../node.ts'
import { deepEqual } from './equal.ts'
import { escapeName } from './escape.ts'

export interface Declared {
  /** As cel-js writes types: `list<Object3>`. */
  readonly type: string
  readonly convert: (value: unknown) => unknown
}

type Fields = ReadonlyMap<string, { readonly name: string; readonly declared: Declared }>

const NOTHING: SchemaNode = {
  source: {},
  type: '',
  format: '',
  nullable: false,
  intOrString: false,
  preserve: false,
  embedded: false,
  properties: new Map(),
  items: undefined,
  additional: undefined,
  preset: undefined,
  listType: '',
  listMapKeys: [],
  atomicMap: false,
  rules: [],
}
const METADATA = { properties: new Map([textField('name'), textField('generateName')]) }

/** `environment` gets one type a described object. */
export class Declarations {
  readonly #environment: Environment
  readonly #root: SchemaNode
  readonly #known = new Map<SchemaNode, Declared | undefined>()
  /** An object is converted once, however many rules at however many levels look at it. */
  #converted = new WeakMap<object, unknown>()
  #objectTypes = 0

  constructor(environment: Environment, root: SchemaNode) {
    this.#environment = environment
    this.#root = root
  }

  /** The type of what a node describes; undefined where CEL cannot see it. */
  of(node: SchemaNode): Declared | undefined {
    if (!this.#known.has(node)) this.#known.set(node, nullable(node, this.#declare(node)))
    return this.#known.get(node)
  }

  /** Forgets converted values; call before every object. */
  reset(): void {
    this.#converted = new WeakMap()
  }

  #declare(node: SchemaNode): Declared | undefined {
    const { type, format, additional } = node
    if (node.intOrString) return { type: 'dyn', convert: scalar }
    if (type === 'object') return additional && additional !== true ? this.#map(additional) : this.#message(node)
    if (type === 'array') return this.#list(node)
    return SCALARS.get(type === 'string' ? `string ${FORMATS.get(format) ?? ''}`.trim() : type)
  }

  #list(node: SchemaNode): Declared | undefined {
    const items = node.items && this.of(node.items)
    if (!items) return undefined
    const convert = (value: unknown) => (value as unknown[]).map(items.convert)
    return { type: `list<${items.type}>`, convert: this.#once(convert) }
  }

  #map(values: SchemaNode): Declared | undefined {
    const declared = this.of(values)
    if (!declared) return undefined
    const convert = (value: unknown) =>
      new Map(Object.entries(value as object).map(([key, inside]) => [key, declared.convert(inside)]))
    return { type: `map<string, ${declared.type}>`, convert: this.#once(convert) }
  }

  #message(node: SchemaNode): Declared {
    const fields = this.#fieldsOf(node)
    const type = `Object${++this.#objectTypes}`
    const Message = class extends Map<string, unknown> {}
    const types = Object.fromEntries([...fields.values()].map(({ name, declared }) => [name, declared.type]))
    this.#environment.registerType(type, { ctor: Message, fields: types })
    this.#environment.registerOperator(`${type} == ${type}: bool`, deepEqual)
    return { type, convert: this.#once((value) => fill(new Message(), value as object, fields)) }
  }

  #fieldsOf(node: SchemaNode): Fields {
    const all = node === this.#root || node.embedded ? withEnvelope(node) : node.properties
    const fields = new Map<string, { name: string; declared: Declared }>()
    for (const [key, child] of all) {
      const [name, declared] = [escapeName(key), this.of(child)]
      if (name !== undefined && declared) fields.set(key, { name, declared })
    }
    return fields
  }

  #once(convert: (value: unknown) => unknown): (value: unknown) => unknown {
    return (value) => {
      if (value === null || typeof value !== 'object') return value
      const before = this.#converted.get(value)
      if (before !== undefined) return before
      const result = convert(value)
      this.#converted.set(value, result)
      return result
    }
  }
}

/** Null needs a type that holds it, too; CEL then checks when it runs. */
function nullable(node: SchemaNode, declared: Declared | undefined): Declared | undefined {
  if (!declared || !node.nullable) return declared
  return { type: 'dyn', convert: (value) => (value === null ? null : declared.convert(value)) }
}

function fill(message: Map<string, unknown>, value: object, fields: Fields): Map<string, unknown> {
  for (const [key, inside] of Object.entries(value)) {
    const field = fields.get(key)
    if (field) message.set(field.name, field.declared.convert(inside))
  }
  return message
}

function textField(name: string): [string, SchemaNode] {
  return [name, { ...NOTHING, type: 'string' }]
}

/** Whatever the schema says of them: apiVersion, kind, and of metadata the two names. */
function withEnvelope(node: SchemaNode): ReadonlyMap<string, SchemaNode> {
  const metadata = { ...NOTHING, ...METADATA, type: 'object' }
  return new Map([...node.properties, textField('apiVersion'), textField('kind'), ['metadata', metadata]])
}

const scalar = (value: unknown): unknown => (Number.isInteger(value) ? BigInt(value as number) : value)

const FORMATS: ReadonlyMap<string, string> = new Map([
  ['byte', 'bytes'],
  ['date', 'timestamp'],
  ['date-time', 'timestamp'],
  ['datetime', 'timestamp'],
  ['duration', 'duration'],
])

const SCALARS: ReadonlyMap<string, Declared> = new Map<string, Declared>([
  ['boolean', { type: 'bool', convert: (value) => value }],
  ['integer', { type: 'int', convert: scalar }],
  ['number', { type: 'double', convert: (value) => value }],
  ['string', { type: 'string', convert: (value) => value }],
  ['string bytes', { type: 'bytes', convert: (value) => new Uint8Array(Buffer.from(String(value), 'base64')) }],
  ['string timestamp', { type: 'google.protobuf.Timestamp', convert: (value) => new Date(String(value)) }],
  ['string duration', { type: 'google.protobuf.Duration', convert: (value) => duration(String(value)) }],
])

function duration(text: string): Duration {
  const nanos = durationNanos(text) ?? 0
  const seconds = Math.trunc(nanos / 1e9)
  return new Duration(BigInt(seconds), nanos - seconds * 1e9)
}
