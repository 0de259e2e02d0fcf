import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileSchema } from '../../../../../api-server/custom/schema/index.ts'
import { kindOf, objectOf } from './fixture.ts'

const test = suite('values against a schema')

type Row = readonly [what: string, field: object, value: unknown, ...causes: readonly string[]]

const DIGITS = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } }

/** Each field stands at spec.x; a cause reads `reason field: message`. */
const ROWS: readonly Row[] = [
  ['a text is a text', { type: 'string' }, 'a'],
  ['an integer is a number', { type: 'number' }, 1],
  ['1.0 is an integer', { type: 'integer' }, 1.0],
  ['null where it is allowed', { type: 'string', nullable: true }, null],
  ['anything without a type', { 'x-kubernetes-preserve-unknown-fields': true }, { a: [1] }],
  ['an integer for int-or-string', { 'x-kubernetes-int-or-string': true }, 5],
  ['a text for int-or-string', { 'x-kubernetes-int-or-string': true }, '50%'],
  ['a format that is not known', { type: 'string', format: 'poem' }, 'roses'],
  ['a string is no integer', { type: 'integer' }, 'x', type('integer', 'string')],
  ['an integer is no string', { type: 'string' }, 1, type('string', 'integer')],
  ['a fraction is no integer', { type: 'integer' }, 1.5, type('integer', 'number')],
  ['a list is no object', { type: 'object' }, [], type('object', 'array')],
  ['an object is no list', { type: 'array', items: { type: 'string' } }, {}, type('array', 'object')],
  ['null is no string', { type: 'string' }, null, type('string', 'null')],
  ['a string is no boolean', { type: 'boolean' }, 'true', type('boolean', 'string')],
  ['a boolean is no int-or-string', { 'x-kubernetes-int-or-string': true }, true, type('integer,string', 'boolean')],
  ['required', { ...DIGITS, required: ['a', 'b'] }, { a: '' }, 'FieldValueRequired spec.x.b: Required value'],
  [
    'enum',
    { type: 'string', enum: ['a', 'b'] },
    'x',
    'FieldValueNotSupported spec.x: Unsupported value: "x": supported values: "a", "b"',
  ],
  [
    'enum of numbers',
    { type: 'integer', enum: [1, 2] },
    3,
    'FieldValueNotSupported spec.x: Unsupported value: 3: supported values: "1", "2"',
  ],
  ['maximum', { type: 'integer', maximum: 10 }, 11, should(11, 'be less than or equal to 10')],
  ['exclusive maximum', { type: 'integer', maximum: 10, exclusiveMaximum: true }, 10, should(10, 'be less than 10')],
  ['exclusive and false', { type: 'integer', maximum: 10, exclusiveMaximum: false }, 10],
  ['minimum', { type: 'integer', minimum: 1 }, 0, should(0, 'be greater than or equal to 1')],
  ['exclusive minimum', { type: 'number', minimum: 1, exclusiveMinimum: true }, 1, should(1, 'be greater than 1')],
  ['multipleOf', { type: 'integer', multipleOf: 5 }, 7, should(7, 'be a multiple of 5')],
  ['multipleOf a fraction', { type: 'number', multipleOf: 0.1 }, 0.3],
  ['minLength', { type: 'string', minLength: 1 }, '', should('', 'be at least 1 chars long')],
  [
    'maxLength',
    { type: 'string', maxLength: 2 },
    'abc',
    'FieldValueTooLong spec.x: Too long: may not be more than 2 bytes',
  ],
  [
    'maxLength of one',
    { type: 'string', maxLength: 1 },
    'ab',
    'FieldValueTooLong spec.x: Too long: may not be more than 1 byte',
  ],
  ['maxLength counts characters', { type: 'string', maxLength: 2 }, '🚢🚢'],
  ['pattern', { type: 'string', pattern: '^a$' }, 'b', should('b', "match '^a$'")],
  ['an RE2 pattern', { type: 'string', pattern: '(?i)^[[:alpha:]]+\\z' }, 'AbC'],
  ['maxItems', listOf({ maxItems: 2 }), [1, 2, 3], 'FieldValueTooMany spec.x: Too many: 3: must have at most 2 items'],
  ['minItems', listOf({ minItems: 2 }), [1], should(1, 'have at least 2 items')],
  [
    'maxProperties',
    mapOf({ maxProperties: 1 }),
    { a: 1, b: 2 },
    'FieldValueTooMany spec.x: Too many: 2: must have at most 1 item',
  ],
  ['minProperties', mapOf({ minProperties: 1 }), {}, should(0, 'have at least 1 properties')],
  ['an item', listOf({}), [1, 'a'], type('integer', 'string', 'spec.x[1]')],
  ['a free key', mapOf({}), { 'a.b/c': 'x' }, type('integer', 'string', 'spec.x.a.b/c')],
  ['date-time', { type: 'string', format: 'date-time' }, 'nope', format('date-time', 'nope')],
  ['date-time kept', { type: 'string', format: 'date-time' }, '2024-02-29T12:00:00.5+01:00'],
  ['date', { type: 'string', format: 'date' }, '2023-02-29', format('date', '2023-02-29')],
  ['duration', { type: 'string', format: 'duration' }, '1 fortnight', format('duration', '1 fortnight')],
  ['duration kept', { type: 'string', format: 'duration' }, '1h30m'],
  ['ipv4', { type: 'string', format: 'ipv4' }, '1.2.3.256', format('ipv4', '1.2.3.256')],
  ['ipv6 kept', { type: 'string', format: 'ipv6' }, 'fe80::1'],
  ['cidr', { type: 'string', format: 'cidr' }, '10.0.0.0/33', format('cidr', '10.0.0.0/33')],
  ['mac', { type: 'string', format: 'mac' }, '00:11:22:33:44', format('mac', '00:11:22:33:44')],
  ['uuid', { type: 'string', format: 'uuid' }, 'x', format('uuid', 'x')],
  ['uuid4 is no uuid3', { type: 'string', format: 'uuid3' }, uuid('4'), format('uuid3', uuid('4'))],
  ['byte', { type: 'string', format: 'byte' }, 'a===', format('byte', 'a===')],
  ['byte kept', { type: 'string', format: 'byte' }, 'aGk='],
  ['email', { type: 'string', format: 'email' }, 'me', format('email', 'me')],
  ['uri', { type: 'string', format: 'uri' }, 'not a uri', format('uri', 'not a uri')],
  ['hexcolor', { type: 'string', format: 'hexcolor' }, '#ggg', format('hexcolor', '#ggg')],
  ['rgbcolor kept', { type: 'string', format: 'rgbcolor' }, 'rgb(1, 2, 255)'],
  ['isbn13 kept', { type: 'string', format: 'isbn' }, '978-3-16-148410-0'],
  [
    'creditcard',
    { type: 'string', format: 'creditcard' },
    '4111111111111112',
    format('creditcard', '4111111111111112'),
  ],
  ['int32', { type: 'integer', format: 'int32' }, 2 ** 31, format('int32', 2 ** 31)],
  [
    'anyOf: the branch that came closest, then the junctor',
    { ...DIGITS, anyOf: [{ required: ['a', 'b'] }, { required: ['a'] }] },
    {},
    'FieldValueRequired spec.x.a: Required value',
    junctor('must validate at least one schema (anyOf)'),
  ],
  [
    'oneOf with none',
    { ...DIGITS, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    {},
    'FieldValueRequired spec.x.a: Required value',
    junctor('must validate one and only one schema (oneOf). Found none valid'),
  ],
  [
    'oneOf with two',
    { ...DIGITS, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    { a: '', b: '' },
    junctor('must validate one and only one schema (oneOf). Found 2 valid alternatives'),
  ],
  [
    'allOf: every branch',
    { ...DIGITS, allOf: [{ required: ['a'] }, { required: ['b'] }] },
    {},
    'FieldValueRequired spec.x.a: Required value',
    'FieldValueRequired spec.x.b: Required value',
    junctor('must validate all the schemas (allOf). None validated'),
  ],
  [
    'allOf: some branch',
    { ...DIGITS, allOf: [{ required: ['a'] }, { required: ['b'] }] },
    { a: '' },
    'FieldValueRequired spec.x.b: Required value',
    junctor('must validate all the schemas (allOf)'),
  ],
  ['not', { ...DIGITS, not: { required: ['a'] } }, { a: '' }, junctor('must not validate the schema (not)')],
  [
    'a junctor in a junctor',
    { type: 'integer', allOf: [{ anyOf: [{ minimum: 5 }, { maximum: 1 }] }] },
    3,
    should(3, 'be greater than or equal to 5'),
    junctor('must validate at least one schema (anyOf)'),
    junctor('must validate all the schemas (allOf). None validated'),
  ],
  [
    'a property that is called allOf',
    { type: 'object', properties: { allOf: { type: 'array', items: { type: 'string' } } } },
    { allOf: [1] },
    type('string', 'integer', 'spec.x.allOf[0]'),
  ],
  [
    'a set',
    listOf({ 'x-kubernetes-list-type': 'set' }),
    [1, 2, 1, 1],
    'FieldValueDuplicate spec.x[2]: Duplicate value: 1',
  ],
  ['1 and "1" differ in a set', setOfAny(), [1, '1']],
  [
    'a set of objects, whatever the order of their fields',
    setOfAny(),
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    'FieldValueDuplicate spec.x[1]: Duplicate value: {"b":2,"a":1}',
  ],
  [
    'a list of type map',
    mapList(['k']),
    [{ k: 'a', v: 1 }, { k: 'b' }, { k: 'a', v: 2 }],
    'FieldValueDuplicate spec.x[2]: Duplicate value: {"k":"a"}',
  ],
  [
    'a list of type map with two keys',
    mapList(['k', 'v']),
    [
      { k: 'a', v: 1 },
      { k: 'a', v: 2 },
    ],
  ],
  [
    'keys that are missing are the same',
    mapList(['k']),
    [{ v: 1 }, { v: 2 }],
    'FieldValueDuplicate spec.x[1]: Duplicate value: {}',
  ],
]

function type(wanted: string, seen: string, field = 'spec.x'): string {
  return `FieldValueTypeInvalid ${field}: Invalid value: "${seen}": ${field} in body must be of type ${wanted}: "${seen}"`
}

function format(wanted: string, value: unknown): string {
  const shown = JSON.stringify(value)
  return `FieldValueTypeInvalid spec.x: Invalid value: ${shown}: spec.x in body must be of type ${wanted}: ${shown}`
}

function should(value: unknown, what: string): string {
  return `FieldValueInvalid spec.x: Invalid value: ${JSON.stringify(value)}: spec.x in body should ${what}`
}

function junctor(what: string): string {
  return `FieldValueInvalid <nil>: Invalid value: "": "spec.x" ${what}`
}

function listOf(keywords: object): object {
  return { type: 'array', items: { type: 'integer' }, ...keywords }
}

function mapOf(keywords: object): object {
  return { type: 'object', additionalProperties: { type: 'integer' }, ...keywords }
}

function setOfAny(): object {
  return { type: 'array', items: { 'x-kubernetes-preserve-unknown-fields': true }, 'x-kubernetes-list-type': 'set' }
}

function mapList(keys: readonly string[]): object {
  const items = { type: 'object', properties: { k: { type: 'string' }, v: { type: 'integer' } } }
  return { type: 'array', items, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys }
}

function uuid(version: string): string {
  return `11111111-2222-${version}333-8444-555555555555`
}

for (const [what, field, value, ...causes] of ROWS) {
  test(what, () => {
    const found = compileSchema(kindOf({ properties: { x: field } })).check(objectOf({ x: value }), undefined)
    assert.equal(
      found.map(({ reason, message, field }) => `${reason} ${field}: ${message}`),
      causes,
    )
  })
}

test('what is required at the root is named without a path before it', () => {
  const { spec: _spec, ...object } = objectOf({})
  const causes = compileSchema({ ...kindOf({}), required: ['spec'] }).check(object as never, undefined)
  assert.equal(causes, [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec' }])
})

test.run()
