import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileSchema } from '../../../../../api-server/custom/schema/index.ts'
import { kindOf, objectOf } from './fixture.ts'

const test = suite('pruning and defaulting')

const text = { type: 'string' }
const PRESERVE = 'x-kubernetes-preserve-unknown-fields'
const EMBEDDED = 'x-kubernetes-embedded-resource'
const a = { type: 'object', properties: { a: text } }

type Pruned = readonly [what: string, properties: object, before: string, after: string, ...removed: readonly string[]]

const PRUNED: readonly Pruned[] = [
  ['what is known stays', { x: text }, '{"x":"1"}', '{"x":"1"}'],
  ['what is not goes', { x: text }, '{"x":"1","y":{"z":1}}', '{"x":"1"}', 'spec.y'],
  ['in an object', { x: a }, '{"x":{"a":"1","b":1}}', '{"x":{"a":"1"}}', 'spec.x.b'],
  ['in a list', { x: { type: 'array', items: a } }, '{"x":[{"a":"1"},{"b":1}]}', '{"x":[{"a":"1"},{}]}', 'spec.x[1].b'],
  [
    'in a map',
    { x: { type: 'object', additionalProperties: a } },
    '{"x":{"k":{"b":1}}}',
    '{"x":{"k":{}}}',
    'spec.x.k.b',
  ],
  [
    'free values are free',
    { x: { type: 'object', additionalProperties: true } },
    '{"x":{"k":{"b":[1]}}}',
    '{"x":{"k":{"b":[1]}}}',
  ],
  ['an object without properties is empty', { x: { type: 'object' } }, '{"x":{"b":1}}', '{"x":{}}', 'spec.x.b'],
  [
    'preserved content stays',
    { x: { type: 'object', [PRESERVE]: true } },
    '{"x":{"b":{"c":1}}}',
    '{"x":{"b":{"c":1}}}',
  ],
  [
    'preserved, but for what is specified',
    { x: { type: 'object', [PRESERVE]: true, properties: { p: a } } },
    '{"x":{"b":1,"p":{"b":1}}}',
    '{"x":{"b":1,"p":{}}}',
    'spec.x.p.b',
  ],
  ['a preserved list', { x: { type: 'array', [PRESERVE]: true, items: a } }, '{"x":[{"b":1}]}', '{"x":[{"b":1}]}'],
  [
    'an embedded resource keeps its envelope',
    { x: { ...a, [EMBEDDED]: true } },
    '{"x":{"apiVersion":"v1","kind":"A","metadata":{"labels":{"q":"1"}},"b":1}}',
    '{"x":{"apiVersion":"v1","kind":"A","metadata":{"labels":{"q":"1"}}}}',
    'spec.x.b',
  ],
  ['kind is no envelope elsewhere', { x: a }, '{"x":{"kind":"A"}}', '{"x":{}}', 'spec.x.kind'],
  [
    'names that objects inherit',
    { x: a },
    '{"x":{"constructor":1,"toString":{"a":1}}}',
    '{"x":{}}',
    'spec.x.constructor',
    'spec.x.toString',
  ],
  ['__proto__', { x: a }, '{"x":{"__proto__":{"polluted":1}}}', '{"x":{}}', 'spec.x.__proto__'],
  [
    '__proto__ in preserved content',
    { x: { type: 'object', [PRESERVE]: true } },
    '{"x":{"__proto__":{"polluted":1}}}',
    '{"x":{"__proto__":{"polluted":1}}}',
  ],
]

for (const [what, properties, before, after, ...removed] of PRUNED)
  test(`prunes: ${what}`, () => {
    const object = objectOf(JSON.parse(before))
    assert.equal(compileSchema(kindOf({ properties })).prune(object), removed)
    assert.is(JSON.stringify(object.spec), after)
    assert.is(({} as Record<string, unknown>).polluted, undefined)
  })

const d = (value: unknown, more: object = {}) => ({ ...text, default: value, ...more })
const nested = { type: 'object', default: {}, properties: { a: d('1') } }

const DEFAULTED: readonly (readonly [what: string, properties: object, before: string, after: string])[] = [
  ['an absent field', { x: d('1') }, '{}', '{"x":"1"}'],
  ['a given field stays', { x: d('1') }, '{"x":""}', '{"x":""}'],
  ['a null that is not allowed', { x: d('1') }, '{"x":null}', '{"x":"1"}'],
  ['a null that is', { x: d('1', { nullable: true }) }, '{"x":null}', '{"x":null}'],
  ['a null without a default goes', { x: text }, '{"x":null}', '{}'],
  ['a null that is allowed, without a default', { x: { ...text, nullable: true } }, '{"x":null}', '{"x":null}'],
  ['inside of an object', { x: { type: 'object', properties: { a: d('1') } } }, '{"x":{}}', '{"x":{"a":"1"}}'],
  ['not inside of what is absent', { x: { type: 'object', properties: { a: d('1') } } }, '{}', '{}'],
  ['inside of a default', { x: nested }, '{}', '{"x":{"a":"1"}}'],
  ['inside of a null that became a default', { x: nested }, '{"x":null}', '{"x":{"a":"1"}}'],
  ['inside of items', { x: { type: 'array', items: nested } }, '{"x":[{},{"a":"2"}]}', '{"x":[{"a":"1"},{"a":"2"}]}'],
  ['an item that is null', { x: { type: 'array', items: d('1') } }, '{"x":[null]}', '{"x":["1"]}'],
  [
    'inside of values of a map',
    { x: { type: 'object', additionalProperties: nested } },
    '{"x":{"k":{}}}',
    '{"x":{"k":{"a":"1"}}}',
  ],
  ['a null in a map', { x: { type: 'object', additionalProperties: text } }, '{"x":{"k":null}}', '{"x":{}}'],
  ['a field that objects inherit', { constructor: d('1') }, '{}', '{"constructor":"1"}'],
  [
    'false, 0 and "" are defaults',
    { x: { type: 'boolean', default: false }, y: { type: 'integer', default: 0 }, z: d('') },
    '{}',
    '{"x":false,"y":0,"z":""}',
  ],
]

for (const [what, properties, before, after] of DEFAULTED)
  test(`defaults: ${what}`, () => {
    const object = objectOf(JSON.parse(before))
    compileSchema(kindOf({ properties })).fillDefaults(object)
    assert.is(JSON.stringify(object.spec), after)
  })

test('a null under __proto__ goes, and what all objects share stays as it was', () => {
  const object = objectOf(JSON.parse('{"x":{"__proto__":null,"k":null}}'))
  compileSchema(kindOf({ properties: { x: { type: 'object', additionalProperties: a } } })).fillDefaults(object)
  const filling = { type: 'object', properties: { polluted: d('1') } }
  const other = objectOf(JSON.parse('{"x":{"__proto__":null}}'))
  compileSchema(kindOf({ properties: { x: { type: 'object', additionalProperties: filling } } })).fillDefaults(other)
  assert.is(JSON.stringify([object.spec, other.spec]), '[{"x":{}},{"x":{}}]')
  assert.equal(Object.keys(Object.prototype), [])
})

test('a default is every object’s own', () => {
  const schema = compileSchema(kindOf({ properties: { x: { type: 'array', items: text, default: ['a'] } } }))
  const [one, two] = [objectOf({}), objectOf({})]
  schema.fillDefaults(one)
  ;(one.spec as { x: string[] }).x.push('b')
  schema.fillDefaults(two)
  assert.equal(two.spec, { x: ['a'] })
})

test('the envelope of the object is known', () => {
  const object = { ...objectOf({}), status: {} }
  object.metadata.labels = { a: '1' }
  assert.equal(compileSchema({ type: 'object' }).prune(object), ['spec', 'status'])
  assert.equal(object.metadata, { name: 'one', labels: { a: '1' } })
})

test.run()
