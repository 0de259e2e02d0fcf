/** Longer than 250 lines: tables of rules that hold, break and tell, a row for each promise. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileSchema } from '../../../../../api-server/custom/schema/index.ts'
import { kindOf, objectOf } from './fixture.ts'

const test = suite('CEL rules of users’ own kinds')

const integer = { type: 'integer' }
const text = { type: 'string' }
const PROPERTIES = {
  n: integer,
  s: text,
  d: { type: 'number' },
  b: { type: 'boolean' },
  l: { type: 'array', items: integer },
  ls: { type: 'array', items: text },
  m: { type: 'object', additionalProperties: integer },
  o: { type: 'object', properties: { x: integer } },
  p: { 'x-kubernetes-int-or-string': true },
  absent: { type: 'object', properties: { y: integer } },
  none: { type: 'string', nullable: true },
  'a-b': integer,
  'c.d/e__f': integer,
  namespace: text,
  t: { type: 'string', format: 'date-time' },
  dur: { type: 'string', format: 'duration' },
  raw: { type: 'string', format: 'byte' },
  ol: { type: 'array', items: { type: 'object', properties: { k: text, v: integer } } },
}
const VALUE = {
  n: 3,
  s: 'abc',
  d: 1.5,
  b: true,
  l: [1, 2, 3],
  ls: ['a', 'b'],
  m: { a: 1, constructor: 2 },
  o: { x: 1 },
  p: 5,
  none: null,
  'a-b': 1,
  'c.d/e__f': 2,
  namespace: 'ns',
  t: '2024-01-01T00:00:00Z',
  dur: '1h30m',
  raw: 'aGk=',
  ol: [
    { k: 'a', v: 1 },
    { k: 'b', v: 2 },
  ],
}

const checked = (rule: object, value: object = VALUE, previous?: object) =>
  compileSchema(kindOf({ properties: PROPERTIES, 'x-kubernetes-validations': [rule] })).check(
    objectOf(value),
    previous && objectOf(previous),
  )

const HOLDS = `
  self.n == 3 && self.n + 1 < 5 && self.n % 2 == 1
  self.d > 1.0 && self.d * 2.0 == 3.0
  has(self.n) && !has(self.absent) && has(self.o.x)
  self.l.all(x, x > 0) && self.l.exists(x, x == 2) && self.l.exists_one(x, x > 2)
  self.l.map(x, x * 2) == [2, 4, 6] && self.l.filter(x, x > 1).size() == 2
  self.l.sum() == 6 && self.l.min() == 1 && self.l.max() == 3 && self.l.isSorted()
  self.l.indexOf(2) == 1 && self.l.lastIndexOf(9) == -1
  sets.contains(self.l, [1, 2]) && sets.intersects(self.l, [9, 3]) && sets.equivalent([1, 2], [2, 1])
  self.ls.join(",") == "a,b" && "a,b".split(",") == self.ls
  self.m.all(k, self.m[k] < 10) && "a" in self.m && !("toString" in self.m) && self.m["constructor"] == 2
  self.o == self.o && self.ol == self.ol
  self.p == 5 && type(self.p) == int
  self.none == null
  self.a__dash__b == 1 && self.c__dot__d__slash__e__underscores__f == 2 && self.__namespace__ == "ns"
  self.t < timestamp("2025-01-01T00:00:00Z") && self.t.getFullYear() == 2024
  self.dur > duration("1h") && self.dur.getMinutes() == 90
  self.raw == b"hi"
  self.ol.all(x, self.ol.exists_one(y, y.k == x.k)) && self.ol.map(x, x.v).max() == 2
  self.?o.?x.orValue(7) == 1 && self.?absent.?y.orValue(7) == 7
  self.s.matches("^[a-c]+$") && matches(self.s, "b") && !self.s.matches("^(?i)X")
  self.s.find("[bc]+") == "bc" && "a1b22".findAll("[0-9]+") == ["1", "22"] && "a1b2".findAll("[0-9]", 1) == ["1"]
  self.s.replace("b", "x") == "axc" && "aaa".replace("a", "b", 2) == "bba" && "abc".reverse() == "cba"
  self.s.charAt(1) == "b" && self.s.indexOf("c") == 2 && self.s.substring(1) == "bc" && " a ".trim() == "a"
  "ÄB".lowerAscii() == "Äb" && "äb".upperAscii() == "äB" && size("🚢") == 1
  quantity("1Gi").isGreaterThan(quantity("500M")) && quantity("1.5").compareTo(quantity("1500m")) == 0
  quantity("1k").asInteger() == 1000 && quantity("1").add(2).sub(quantity("500m")) == quantity("2.5") && !isQuantity("1x")
  quantity("-1").sign() == -1 && quantity("2e3").isInteger() && !quantity("1m").isInteger()
  url("https://u@a.b:8443/p?q=1&q=2").getHostname() == "a.b" && url("/p").getEscapedPath() == "/p" && !isURL("nope")
  url("https://a.b:8443/p?q=1&q=2").getQuery()["q"] == ["1", "2"] && url("https://a.b:8443").getPort() == "8443"
  cidr("10.0.0.0/8").containsIP("10.1.2.3") && !cidr("10.0.0.0/8").containsCIDR("11.0.0.0/16") && !isCIDR("10.0.0.0/33")
  ip("::1").isLoopback() && ip("10.0.0.1").isGlobalUnicast() && ip("10.0.0.1").family() == 4 && !isIP("1.2.3.256")
  cel.bind(x, self.n, x == 3)
  string(self.n) == "3" && int("42") == 42 && double(self.n) == 3.0
  self.b ? self.n == 3 : self.n == 4
`

for (const rule of lines(HOLDS)) test(`holds: ${rule}`, () => assert.equal(checked({ rule }), []))

const BREAKS: readonly (readonly [rule: string, said: string])[] = [
  ['self.n > 3', 'failed rule: self.n > 3'],
  ['self.m["zz"] == 1', 'no such key: zz evaluating rule: self.m["zz"] == 1'],
  ['self.absent.y == 1', 'no such key: absent evaluating rule: self.absent.y == 1'],
  ['self.n / 0 == 1', 'division by zero evaluating rule: self.n / 0 == 1'],
  [
    '9223372036854775807 + self.n > 0',
    'integer overflow: 9223372036854775810 evaluating rule: 9223372036854775807 + self.n > 0',
  ],
  ['int(self.s) == 1', 'int() type error: cannot convert to int evaluating rule: int(self.s) == 1'],
  [
    'self.s.matches(self.s + "(")',
    'error parsing regexp: missing closing ): `abc(` evaluating rule: self.s.matches(self.s + "(")',
  ],
  [
    'quantity(self.s) == quantity("1")',
    `quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$' evaluating rule: quantity(self.s) == quantity("1")`,
  ],
]

for (const [rule, said] of BREAKS)
  test(`breaks: ${rule}`, () => {
    const message = `Invalid value: "object": ${said}`
    assert.equal(checked({ rule }), [{ reason: 'FieldValueInvalid', message, field: 'spec' }])
  })

const TOLD: readonly (readonly [what: string, rule: object, reason: string, message: string, field: string])[] = [
  ['a message', { message: ' too small ' }, 'FieldValueInvalid', 'Invalid value: "object": too small', 'spec'],
  [
    'a messageExpression',
    { messageExpression: '"n is " + string(self.n)' },
    'FieldValueInvalid',
    'Invalid value: "object": n is 3',
    'spec',
  ],
  [
    'a messageExpression that fails gives way',
    { messageExpression: 'self.m["no"] == 1 ? "a" : "b"', message: 'm' },
    'FieldValueInvalid',
    'Invalid value: "object": m',
    'spec',
  ],
  ['forbidden', { reason: 'FieldValueForbidden' }, 'FieldValueForbidden', 'Forbidden: failed rule: false', 'spec'],
  [
    'required',
    { reason: 'FieldValueRequired', fieldPath: '.absent.y' },
    'FieldValueRequired',
    'Required value: failed rule: false',
    'spec.absent.y',
  ],
  ['duplicate', { reason: 'FieldValueDuplicate' }, 'FieldValueDuplicate', 'Duplicate value: "object"', 'spec'],
  [
    'a field path with a quoted key',
    { fieldPath: "['a-b']" },
    'FieldValueInvalid',
    'Invalid value: "object": failed rule: false',
    'spec.a-b',
  ],
  [
    'a field path into a map',
    { fieldPath: '.m.k' },
    'FieldValueInvalid',
    'Invalid value: "object": failed rule: false',
    'spec.m[k]',
  ],
]

for (const [what, rule, reason, message, field] of TOLD)
  test(`tells: ${what}`, () => assert.equal(checked({ rule: 'false', ...rule }), [{ reason, message, field }]))

const rule = { rule: 'self < 2' }
const keyed = {
  type: 'object',
  properties: { k: text, v: { ...integer, 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] } },
  required: ['k'],
}
const PLACES: readonly (readonly [
  what: string,
  spec: object,
  value: object,
  fields: readonly string[],
  old?: object,
])[] = [
  ['a field', { n: { ...integer, 'x-kubernetes-validations': [rule] } }, { n: 2 }, ['spec.n']],
  ['a field that is absent', { n: { ...integer, 'x-kubernetes-validations': [rule] } }, {}, []],
  ['a field that is null', { n: { ...integer, nullable: true, 'x-kubernetes-validations': [rule] } }, { n: null }, []],
  [
    'items',
    { l: { type: 'array', items: { ...integer, 'x-kubernetes-validations': [rule] } } },
    { l: [1, 2, 3] },
    ['spec.l[1]', 'spec.l[2]'],
  ],
  [
    'values of a map',
    { m: { type: 'object', additionalProperties: { ...integer, 'x-kubernetes-validations': [rule] } } },
    { m: { a: 1, b: 2 } },
    ['spec.m[b]'],
  ],
  [
    'a transition of an item with the same key',
    { l: mapList() },
    {
      l: [
        { k: 'b', v: 1 },
        { k: 'a', v: 1 },
      ],
    },
    ['spec.l[1].v'],
    { l: [{ k: 'a', v: 2 }] },
  ],
  [
    'a transition of a field that is new',
    { n: { ...integer, 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] } },
    { n: 1 },
    [],
    {},
  ],
  [
    'a transition of a field',
    { n: { ...integer, 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] } },
    { n: 1 },
    ['spec.n'],
    { n: 2 },
  ],
  [
    'no transition on create',
    { n: { ...integer, 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] } },
    { n: 1 },
    [],
  ],
  [
    'an optional transition on create',
    {
      n: {
        ...integer,
        'x-kubernetes-validations': [{ rule: 'oldSelf.hasValue() && self >= oldSelf.value()', optionalOldSelf: true }],
      },
    },
    { n: 1 },
    ['spec.n'],
  ],
  [
    'an embedded resource',
    { e: embedded() },
    { e: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'b' } } },
    ['spec.e'],
  ],
]

function mapList(): object {
  return { type: 'array', items: keyed, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] }
}

function embedded(): object {
  const rules = [{ rule: 'self.kind == "Pod" && self.metadata.name == "a"' }]
  return {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    'x-kubernetes-preserve-unknown-fields': true,
    'x-kubernetes-validations': rules,
  }
}

for (const [what, properties, value, fields, old] of PLACES)
  test(`stands on ${what}`, () => {
    const causes = compileSchema(kindOf({ properties })).check(objectOf(value), old && objectOf(old))
    assert.equal(
      causes.map(({ field }) => field),
      fields,
    )
  })

test('the root’s rules see the names of the object', () => {
  const schema = { ...kindOf({}), 'x-kubernetes-validations': [{ rule: 'self.metadata.name == "two"' }] }
  const [cause] = compileSchema(schema).check(objectOf({}), undefined)
  assert.is(cause?.field, '')
  assert.is(cause?.message, 'Invalid value: "object": failed rule: self.metadata.name == "two"')
})

test('rules are not run on an object whose values are wrong, and it says so', () => {
  const causes = checked({ rule: 'self.n > 100' }, { n: 'x' })
  assert.is(causes.length, 2)
  assert.equal(causes[1], {
    reason: 'FieldValueInvalid',
    field: '<nil>',
    message:
      'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
  })
})

test('checking one object leaves nothing behind for the next', () => {
  const schema = compileSchema(
    kindOf({ properties: PROPERTIES, 'x-kubernetes-validations': [{ rule: 'self.l.sum() < 7' }] }),
  )
  const object = objectOf({ l: [1, 2] })
  assert.equal(schema.check(object, undefined), [])
  object.spec = { l: [5, 5] }
  assert.is(schema.check(object, undefined).length, 1)
  object.spec = { l: [1] }
  assert.equal(schema.check(object, undefined), [])
})

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

test.run()
