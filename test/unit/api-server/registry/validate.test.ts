import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as z from 'zod'
import { StatusError } from '../../../../api-server/registry/errors.ts'
import { admit } from '../../../../api-server/registry/validate.ts'
import { type ApiObject, defineKind, type Kind } from '../../../../crds/kind.ts'
import { UNIT, unitObject } from './with-registry.ts'

const test = suite('validation')

const THING = defineKind({
  group: 'test.dev',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  scope: 'Cluster',
  description: 'A thing.',
  columns: [],
  fields: {
    spec: z.strictObject({
      text: z.string().min(2).max(4).optional(),
      count: z.int().min(1).max(9).optional(),
      list: z
        .array(z.strictObject({ name: z.string() }))
        .max(2)
        .optional(),
      word: z.enum(['red', 'green']).optional(),
      code: z.string().regex(/^x+$/).optional(),
      either: z.union([z.int(), z.string()]).optional(),
      map: z.record(z.string(), z.string()).optional(),
      flag: z.boolean().optional(),
      needed: z.string().optional(),
    }),
  },
  check: (object) =>
    (object.spec as { needed?: string }).needed === 'bad'
      ? [
          { path: ['spec', 'needed'], message: 'must be good' },
          { path: ['spec', 'list', 0], message: 'not with a bad one', reason: 'FieldValueForbidden' },
        ]
      : [],
}) as unknown as Kind

const thing = (spec: unknown): ApiObject =>
  ({ apiVersion: 'test.dev/v1', kind: 'Thing', metadata: { name: 'a' }, spec }) as ApiObject

/** Every form of cause that clients print: spec, field, reason, message. */
const CAUSES: readonly (readonly [unknown, string, string, string])[] = [
  [undefined, 'spec', 'FieldValueRequired', 'Required value'],
  [null, 'spec', 'FieldValueTypeInvalid', 'Invalid value: "null": spec in body must be of type object: "null"'],
  ['x', 'spec', 'FieldValueTypeInvalid', 'Invalid value: "string": spec in body must be of type object: "string"'],
  [
    { text: 5 },
    'spec.text',
    'FieldValueTypeInvalid',
    'Invalid value: "integer": spec.text in body must be of type string: "integer"',
  ],
  [
    { text: 'x' },
    'spec.text',
    'FieldValueInvalid',
    'Invalid value: "x": spec.text in body should be at least 2 chars long',
  ],
  [{ text: 'xxxxx' }, 'spec.text', 'FieldValueTooLong', 'Too long: may not be more than 4 bytes'],
  [
    { count: 0 },
    'spec.count',
    'FieldValueInvalid',
    'Invalid value: 0: spec.count in body should be greater than or equal to 1',
  ],
  [
    { count: 1000 },
    'spec.count',
    'FieldValueInvalid',
    'Invalid value: 1000: spec.count in body should be less than or equal to 9',
  ],
  [
    { count: 1.5 },
    'spec.count',
    'FieldValueTypeInvalid',
    'Invalid value: "number": spec.count in body must be of type integer: "number"',
  ],
  [
    { count: '3' },
    'spec.count',
    'FieldValueTypeInvalid',
    'Invalid value: "string": spec.count in body must be of type integer: "string"',
  ],
  [
    { list: [{ name: 'a' }, { name: 5 }] },
    'spec.list[1].name',
    'FieldValueTypeInvalid',
    'Invalid value: "integer": spec.list[1].name in body must be of type string: "integer"',
  ],
  [{ list: [{}] }, 'spec.list[0].name', 'FieldValueRequired', 'Required value'],
  [
    { list: [1, 2, 3].map(() => ({ name: 'a' })) },
    'spec.list',
    'FieldValueTooMany',
    'Too many: 3: must have at most 2 items',
  ],
  [
    { list: {} },
    'spec.list',
    'FieldValueTypeInvalid',
    'Invalid value: "object": spec.list in body must be of type array: "object"',
  ],
  [
    { word: 'blue' },
    'spec.word',
    'FieldValueNotSupported',
    'Unsupported value: "blue": supported values: "red", "green"',
  ],
  [{ code: 'y' }, 'spec.code', 'FieldValueInvalid', 'Invalid value: "y": spec.code in body should match \'^x+$\''],
  [
    { either: {} },
    'spec.either',
    'FieldValueInvalid',
    'Invalid value: {}: spec.either in body has none of the allowed forms',
  ],
  [
    { map: { a: 1 } },
    'spec.map.a',
    'FieldValueTypeInvalid',
    'Invalid value: "integer": spec.map.a in body must be of type string: "integer"',
  ],
  [
    { flag: 'yes' },
    'spec.flag',
    'FieldValueTypeInvalid',
    'Invalid value: "string": spec.flag in body must be of type boolean: "string"',
  ],
]

for (const [spec, field, reason, message] of CAUSES)
  test(`${JSON.stringify(spec) ?? 'no spec'} is refused at ${field}`, () => {
    const { code, details } = statusOf(() => admit(THING, thing(spec), undefined, {}))
    assert.is(code, 422)
    assert.equal(details?.causes, [{ reason, message, field }])
    assert.equal([details?.name, details?.group, details?.kind], ['a', 'test.dev', 'Thing'])
  })

test('rules beyond the schema name their fields, and several causes stand in brackets', () => {
  const { message, details } = statusOf(() => admit(THING, thing({ needed: 'bad' }), undefined, {}))
  assert.is(
    message,
    'Thing.test.dev "a" is invalid: [spec.needed: Invalid value: "bad": must be good, spec.list[0]: Forbidden: not with a bad one]',
  )
  assert.equal(
    details?.causes?.map((cause) => cause.reason),
    ['FieldValueInvalid', 'FieldValueForbidden'],
  )
})

test('a single cause stands without brackets', () => {
  const { message } = statusOf(() => admit(THING, thing({ text: 'x' }), undefined, {}))
  assert.is(
    message,
    'Thing.test.dev "a" is invalid: spec.text: Invalid value: "x": spec.text in body should be at least 2 chars long',
  )
})

const STRAY = { flag: true, bogus: 1, list: [{ name: 'a', more: 2 }] }
const NAMED = ['unknown field "spec.bogus"', 'unknown field "spec.list[0].more"', 'unknown field "extra"']

test('unknown fields at every depth are refused under Strict, all of them named', () => {
  const { code, reason, message } = statusOf(() =>
    admit(THING, { ...thing(structuredClone(STRAY)), extra: 1 }, undefined, { fieldValidation: 'Strict' }),
  )
  assert.equal([code, reason], [400, 'BadRequest'])
  assert.ok(message?.startsWith('Thing in version "v1" cannot be handled as a Thing: strict decoding error: '))
  for (const name of NAMED) assert.ok(message?.includes(name), `${name} in ${message}`)
})

test('unknown fields are dropped with warnings by default, and in silence under Ignore', () => {
  const warned = admit(THING, { ...thing(structuredClone(STRAY)), extra: 1 }, undefined, {
    strayFields: ['duplicate field "a"'],
  })
  assert.equal([...warned.warnings].sort(), ['duplicate field "a"', ...NAMED].sort())
  assert.equal(warned.object.spec, { flag: true, list: [{ name: 'a' }] })
  const ignored = admit(THING, { ...thing(structuredClone(STRAY)), extra: 1 }, undefined, { fieldValidation: 'Ignore' })
  assert.equal(ignored.warnings, [])
  assert.equal(ignored.object, warned.object)
})

test('an unknown field hides no other mistake, and under Strict it is what is told first', () => {
  const input = () => thing({ bogus: 1, count: 0 })
  assert.is(statusOf(() => admit(THING, input(), undefined, {})).details?.causes?.[0]?.field, 'spec.count')
  assert.is(statusOf(() => admit(THING, input(), undefined, { fieldValidation: 'Strict' })).code, 400)
})

test('defaults are filled', () => {
  const { object } = admit(UNIT, unitObject('a.service'), undefined, {})
  assert.equal((object.spec as { failover: string }).failover, 'reschedule')
})

test('a member named __proto__ is a stray field like any other', () => {
  const spec = JSON.parse('{"flag":true,"__proto__":{"flag":false},"constructor":1}')
  const { object, warnings } = admit(THING, thing(spec), undefined, {})
  assert.is(JSON.stringify(object.spec), '{"flag":true}')
  assert.ok(warnings.includes('unknown field "spec.constructor"'))
  assert.is(({} as { flag?: boolean }).flag, undefined)
})

test('fifty thousand mistakes make no answer of fifty thousand lines, and are found at once', () => {
  const start = performance.now()
  const list = Array.from({ length: 50_000 }, () => 1)
  const wrong = statusOf(() => admit(THING, thing({ list }), undefined, {}))
  assert.ok((wrong.details?.causes?.length ?? 0) <= 50)
  const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`f${at}`, 1]))
  const strict = statusOf(() => admit(THING, thing(many), undefined, { fieldValidation: 'Strict' }))
  assert.ok((strict.message?.length ?? 0) < 20_000)
  const long = statusOf(() => admit(THING, thing({ word: 'x'.repeat(2e6) }), undefined, {}))
  assert.ok(JSON.stringify(long).length < 2_000)
  const labels = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`bad label ${at}`, 'x']))
  const labelled = statusOf(() => admit(THING, { ...thing({}), metadata: { name: 'a', labels } }, undefined, {}))
  assert.ok(JSON.stringify(labelled).length < 100_000)
  assert.ok(performance.now() - start < 2_000, `${performance.now() - start} ms`)
})

function statusOf(run: () => unknown): StatusError['status'] {
  try {
    return assert.unreachable(JSON.stringify(run())) as never
  } catch (error) {
    if (error instanceof StatusError) return error.status
    throw error
  }
}

test.run()
