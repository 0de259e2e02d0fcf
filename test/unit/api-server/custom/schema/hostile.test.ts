import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkSchema, compileSchema } from '../../../../../api-server/custom/schema/index.ts'
import type { JsonSchema } from '../../../../../crds/json-schema.ts'
import { kindOf, objectOf } from './fixture.ts'

const test = suite('hostile schemas and objects')

/** Far above what any of these takes, far below what they would take without their bounds. */
const PATIENCE_MS = 5000

function inTime<T>(work: () => T): T {
  const start = performance.now()
  const result = work()
  const took = performance.now() - start
  assert.ok(took < PATIENCE_MS, `took ${Math.round(took)} ms`)
  return result
}

const text = { type: 'string' }
const integer = { type: 'integer' }
const firstMessage = (schema: JsonSchema, spec: unknown) =>
  inTime(() => compileSchema(schema).check(objectOf(spec), undefined)[0]?.message)

const PATTERNS: readonly (readonly [pattern: string, text: string])[] = [
  ['^(a+)+$', `${'a'.repeat(100_000)}!`],
  ['^(a|a)*$', `${'a'.repeat(100_000)}!`],
  ['^(.*a){20}$', `${'a'.repeat(10_000)}b`],
  ['^([a-z0-9]+-?)*[a-z0-9]$', `${'a-'.repeat(50_000)}`],
  ['^(\\w+\\s?)*$', `${'a '.repeat(50_000)}!`],
]

for (const [pattern, value] of PATTERNS)
  test(`/${pattern}/ answers on ${value.length} characters`, () => {
    const message = firstMessage(kindOf({ properties: { x: { ...text, pattern } } }), { x: value })
    assert.match(message ?? '', 'should match')
  })

test('a pattern that costs more than an object may is refused, and the next object is judged as ever', () => {
  const schema = compileSchema(kindOf({ properties: { x: { ...text, pattern: '(a?){400}a{400}!\\b' } } }))
  const [cause] = inTime(() => schema.check(objectOf({ x: 'a'.repeat(200_000) }), undefined))
  assert.match(cause?.message ?? '', 'takes more steps than one object may take')
  assert.match(schema.check(objectOf({ x: 'b' }), undefined)[0]?.message ?? '', 'should match')
})

const spend = /out of cost budget, no further validation rules will be run$/
const list = { type: 'array', items: integer }
const RULES: readonly string[] = [
  'self.l.all(x, self.l.all(y, x + y >= 0))',
  'self.l.all(x, self.l.all(y, self.l.all(z, x + y + z >= 0)))',
  'self.l.all(x, self == self)',
  'self.l.all(x, self.l == self.l)',
  'self.l.all(x, !(-1 in self.l))',
  'self.l.exists(x, self.l.map(y, y * 2).sum() < 0)',
  'self.l.all(x, self.s.matches("^(a+)+$"))',
  'self.l.all(x, size(self.s) > 0)',
  'self.l.all(x, self.s.split("").size() > 0)',
]

for (const rule of RULES)
  test(`runs out of budget: ${rule}`, () => {
    const schema = kindOf({ properties: { l: list, s: text }, 'x-kubernetes-validations': [{ rule }] })
    const message = firstMessage(schema, { l: Array.from({ length: 10_000 }, (_, i) => i), s: 'a'.repeat(50_000) })
    assert.match(message ?? '', spend)
  })

test('a text cannot be doubled until memory is full', () => {
  const binds = Array.from(
    { length: 40 },
    (_, i) => `cel.bind(x${i}, ${i === 0 ? 'self.s' : `x${i - 1} + x${i - 1}`}, `,
  )
  const rule = `${binds.join('')}size(x39) > 0${')'.repeat(40)}`
  const schema = kindOf({ properties: { s: text }, 'x-kubernetes-validations': [{ rule }] })
  assert.match(firstMessage(schema, { s: 'a'.repeat(1000) }) ?? '', /out of cost budget|longer than 4000000 characters/)
})

test('replacing cannot blow a text up', () => {
  const rule = 'self.s.replace("a", self.s).replace("a", self.s) != ""'
  const schema = kindOf({ properties: { s: text }, 'x-kubernetes-validations': [{ rule }] })
  assert.match(firstMessage(schema, { s: 'a'.repeat(10_000) }) ?? '', 'longer than 4000000 characters')
})

test('10 000 items with a rule each are within the budget', () => {
  const item = {
    type: 'object',
    properties: { n: integer },
    'x-kubernetes-validations': [{ rule: 'self.n >= 0 && self.n < 10000' }],
  }
  const schema = compileSchema(kindOf({ properties: { l: { type: 'array', items: item } } }))
  const spec = { l: Array.from({ length: 10_000 }, (_, n) => ({ n })) }
  assert.equal(
    inTime(() => schema.check(objectOf(spec), undefined)),
    [],
  )
})

test('an object of a megabyte that is all wrong is told of its first hundred mistakes', () => {
  const schema = kindOf({ properties: { l: { type: 'array', items: text } } })
  const causes = inTime(() => compileSchema(schema).check(objectOf({ l: new Array(500_000).fill(0) }), undefined))
  assert.is(causes.length, 100)
  assert.is(causes[99]?.field, 'spec.l[99]')
})

test('an object of a megabyte that is all unknown is pruned, and the first thousand are named', () => {
  const spec = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]))
  const object = objectOf(spec)
  assert.is(inTime(() => compileSchema(kindOf({})).prune(object)).length, 1000)
  assert.equal(object.spec, {})
})

test('a set of 100 000 is checked for twins', () => {
  const schema = kindOf({ properties: { l: { ...list, 'x-kubernetes-list-type': 'set' } } })
  const l = Array.from({ length: 100_000 }, (_, i) => i)
  assert.is(firstMessage(schema, { l: [...l, 7] }), 'Duplicate value: 7')
})

test('an object nested 100 000 deep is refused', () => {
  let spec: unknown = {}
  for (let i = 0; i < 100_000; i++) spec = { a: spec }
  const schema = compileSchema(kindOf({ 'x-kubernetes-preserve-unknown-fields': true }))
  const object = objectOf(spec)
  schema.prune(object)
  schema.fillDefaults(object)
  assert.match(schema.check(object, undefined)[0]?.message ?? '', 'must not be nested deeper than 500 levels')
})

test('a schema nested too deep is refused', () => {
  let schema: JsonSchema = text
  for (let i = 0; i < 100_000; i++) schema = { type: 'array', items: schema }
  assert.match(
    inTime(() => checkSchema(kindOf({ properties: { x: schema } }), ['crd']))[0]?.message ?? '',
    'nested deeper than 64',
  )
  assert.throws(() => compileSchema(schema), /nested deeper than 64/)
})

test('junctors nested too deep are refused', () => {
  let schema: JsonSchema = {}
  for (let i = 0; i < 1000; i++) schema = { not: schema }
  assert.match(
    checkSchema(kindOf({ properties: { x: { ...text, ...schema } } }), ['crd'])[0]?.message ?? '',
    'nested deeper than 64',
  )
})

test('a schema of too many parts is refused', () => {
  const properties = Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`k${i}`, text]))
  assert.match(inTime(() => checkSchema(kindOf({ properties }), ['crd']))[0]?.message ?? '', 'more than 30000 parts')
})

test('a schema of 20 000 fields compiles and judges', () => {
  const properties = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, i) => [`k${i}`, { ...text, maxLength: i + 1 }]),
  )
  const schema = kindOf({ properties })
  assert.equal(
    inTime(() => checkSchema(schema, ['crd'])),
    [],
  )
  assert.match(firstMessage(schema, { k0: 'ab', k19999: 'ab' }) ?? '', 'may not be more than 1 byte')
})

test('a schema of a thousand rules compiles', () => {
  const field = { type: 'object', properties: { n: integer }, 'x-kubernetes-validations': [{ rule: 'self.n > 1' }] }
  const schema = kindOf({ properties: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, field])) })
  assert.equal(
    inTime(() => checkSchema(schema, ['crd'])),
    [],
  )
  assert.match(firstMessage(schema, { k7: { n: 1 } }) ?? '', 'failed rule: self.n > 1')
})

test('a junctor over a thousand fields is refused', () => {
  const properties = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, text]))
  const narrowed = Object.fromEntries(Object.keys(properties).map((name) => [name, { minLength: 1 }]))
  const [violation] = checkSchema(kindOf({ properties, anyOf: [{ properties: narrowed }] }), ['crd'])
  assert.is(violation?.message, 'no junctor may speak of more than 500 fields')
})

test('a schema of a thousand mistakes tells of a hundred', () => {
  const properties = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, {}]))
  assert.is(checkSchema(kindOf({ properties }), ['crd']).length, 100)
})

const EXPRESSIONS: readonly (readonly [what: string, rule: string])[] = [
  ['deep', `${'('.repeat(5000)}true${')'.repeat(5000)}`],
  ['long', `true${' || true'.repeat(5000)}`],
  ['wide', `[${'1,'.repeat(2000)}1].size() > 0`],
]

for (const [what, rule] of EXPRESSIONS)
  test(`a rule that is too ${what} is refused with its schema`, () => {
    const [violation] = inTime(() => checkSchema(kindOf({ 'x-kubernetes-validations': [{ rule }] }), ['crd']))
    assert.match(violation?.message ?? '', /^compilation failed: ERROR/)
  })

test('names of prototypes in a schema do nothing', () => {
  const properties = JSON.parse(
    '{"constructor":{"type":"string"},"hasOwnProperty":{"type":"integer"},"valueOf":{"type":"object"}}',
  )
  const schema = kindOf({ properties, required: ['toString'] })
  assert.equal(checkSchema(schema, ['crd']), [])
  const causes = compileSchema(schema).check(objectOf({ constructor: 1 }), undefined)
  assert.equal(
    causes.map(({ field }) => field),
    ['spec.toString', 'spec.constructor'],
  )
  const [violation] = checkSchema(kindOf({ properties: JSON.parse('{"__proto__":{"type":"string"}}') }), ['crd'])
  assert.is(violation?.message, 'no field may have this name')
})

test.run()
