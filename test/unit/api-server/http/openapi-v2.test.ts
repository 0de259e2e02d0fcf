import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodeOpenApiV2 } from '../../../../api-server/http/openapi-v2.ts'

const test = suite('openapi v2 encoding')
const FRAME = { swagger: '2.0', info: { title: 'T', version: 'v1' }, paths: {} }
/** `swagger`, `info` and the empty `paths` of FRAME. */
const FRAME_HEX = `0a03${hex('2.0')}12070a01${hex('T')}1202${hex('v1')}4200`

function hex(text: string): string {
  return Buffer.from(text).toString('hex')
}

/** A field of protobuf's length-delimited kind, in hex; short contents only. */
function field(number: number, content: string): string {
  const tag = (number << 3) | 2
  const tagHex = Buffer.from(tag < 128 ? [tag] : [(tag & 127) | 128, tag >> 7]).toString('hex')
  return tagHex + Buffer.from([content.length / 2]).toString('hex') + content
}

/** The one definition `D` whose schema has this content, in hex. */
const definition = (content: string): string => field(9, field(1, field(1, hex('D')) + field(2, content)))

const encodeSchema = (schema: object): string =>
  encodeOpenApiV2({ ...FRAME, definitions: { D: schema } }).toString('hex')

const TABLE: readonly (readonly [string, object, string])[] = [
  ['a reference', { $ref: '#/definitions/E' }, field(1, hex('#/definitions/E'))],
  ['a type', { type: 'string' }, field(22, field(1, hex('string')))],
  ['required fields', { required: ['a', 'b'] }, field(19, hex('a')) + field(19, hex('b'))],
  ['allowed values, as YAML', { enum: ['a', 1] }, field(20, field(2, hex('"a"'))) + field(20, field(2, hex('1')))],
  ['a default, as YAML', { default: { a: true } }, field(5, field(2, hex('{"a":true}')))],
  ['items', { items: { format: 'x' } }, field(23, field(1, field(2, hex('x'))))],
  ['any further properties', { additionalProperties: true }, field(21, '1001')],
  ['no further properties', { additionalProperties: false }, field(21, '1000')],
  ['further properties of a kind', { additionalProperties: { format: 'x' } }, field(21, field(1, field(2, hex('x'))))],
  [
    'properties by name, one called like a keyword',
    { properties: { type: { format: 'x' } } },
    field(25, field(1, field(1, hex('type')) + field(2, field(2, hex('x'))))),
  ],
  [
    'an extension, as YAML',
    { 'x-kubernetes-group-version-kind': [{ kind: 'Unit' }] },
    field(31, field(1, hex('x-kubernetes-group-version-kind')) + field(2, field(2, hex('[{"kind":"Unit"}]')))),
  ],
  ['nothing for what Swagger 2 does not know', { oneOf: [{}], nullable: true, toString: 1 }, ''],
]

for (const [title, schema, content] of TABLE) {
  test(`a schema says ${title}`, () => assert.is(encodeSchema(schema), FRAME_HEX + definition(content)))
}

test('a schema that keeps unknown fields does not list the known ones', () => {
  const loose = { type: 'object', properties: { a: {} }, 'x-kubernetes-preserve-unknown-fields': true }
  const name = field(1, hex('x-kubernetes-preserve-unknown-fields'))
  assert.is(encodeSchema(loose), FRAME_HEX + definition(field(31, name + field(2, field(2, hex('true'))))))
})

test('an operation carries its query parameters and its kind', () => {
  const parameters = [{ name: 'dryRun', in: 'query' }]
  const paths = { '/u': { patch: { parameters, 'x-k': 1 } } }
  const query = field(3, field(4, hex('dryRun')) + field(2, hex('query')))
  const patch = field(8, field(1, field(2, query))) + field(13, field(1, hex('x-k')) + field(2, field(2, hex('1'))))
  const expected = field(8, field(2, field(1, hex('/u')) + field(2, field(8, patch))))
  const bytes = encodeOpenApiV2({ ...FRAME, paths, definitions: {} }).toString('hex')
  assert.is(bytes, `${FRAME_HEX.slice(0, -4)}${expected}4a00`)
})

test('a parameter in a place that we do not serve is refused by name', () => {
  const paths = { '/u': { get: { parameters: [{ name: 'x', in: 'header' }] } } }
  assert.throws(() => encodeOpenApiV2({ ...FRAME, paths, definitions: {} }), /a parameter in "header"/)
})

test.run()
