import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileSchema } from '../../../../../api-server/custom/schema/index.ts'
import { kindOf, objectOf } from './fixture.ts'

const test = suite('an update is not blamed for what it leaves as it was')

const NAME = { type: 'string', maxLength: 2 }
const RULE = { 'x-kubernetes-validations': [{ rule: 'self.size() < 3', message: 'too long' }] }
const NAMED = { type: 'object', properties: { key: { type: 'string' }, name: NAME } }
const listOf = (items: object, type?: string, ...keys: string[]) => ({
  type: 'array',
  items,
  ...(type && { 'x-kubernetes-list-type': type }),
  ...(keys.length > 0 && { 'x-kubernetes-list-map-keys': keys }),
})
const SPEC = {
  properties: {
    name: NAME,
    other: { type: 'string' },
    inside: { type: 'object', properties: { name: NAME, other: { type: 'string' } }, required: ['other'] },
    free: { type: 'object', additionalProperties: NAME },
    byKey: listOf(NAMED, 'map', 'key'),
    byPlace: listOf(NAME),
    set: listOf(NAME, 'set'),
    atomic: listOf(NAME, 'atomic'),
    nullable: { type: 'string', enum: ['a'] },
    either: { type: 'object', properties: { a: NAME, b: NAME }, anyOf: [{ required: ['a'] }, { required: ['b'] }] },
    ruled: { type: 'string', ...RULE },
    ruledList: listOf({ type: 'string', ...RULE }),
    grows: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > oldSelf', message: 'must grow' }] },
  },
}

/** What it was, what it becomes, and the fields that are blamed. */
type Row = readonly [what: string, before: object, after: object, ...blamed: readonly string[]]

const ROWS: readonly Row[] = [
  ['what is bad as before', { name: 'long' }, { name: 'long', other: 'x' }],
  ['what is bad in another way', { name: 'long' }, { name: 'longer' }, 'spec.name'],
  ['what becomes bad', { name: 'ok' }, { name: 'long' }, 'spec.name'],
  ['what is new and bad', {}, { name: 'long' }, 'spec.name'],
  ['what was bad and is gone', { name: 'long' }, {}],
  ['a missing field that was missing', { inside: {} }, { inside: {}, other: 'x' }],
  ['a missing field of what has changed', { inside: {} }, { inside: { name: 'a' } }, 'spec.inside.other'],
  ['a field beside a change', { inside: { name: 'long', other: 'a' } }, { inside: { name: 'long', other: 'b' } }],
  ['a free key as before', { free: { a: 'long' } }, { free: { a: 'long', b: 'ok' } }],
  ['a free key that is new', { free: { a: 'long' } }, { free: { a: 'long', b: 'long' } }, 'spec.free.b'],
  ['an item under another key', byKey(['a', 'long']), byKey(['b', 'long']), 'spec.byKey[0].name'],
  ['an item in another place', byKey(['a', 'long'], ['b', 'x']), byKey(['b', 'y'], ['a', 'long'])],
  ['an item that changed', byKey(['a', 'long']), byKey(['a', 'longer']), 'spec.byKey[0].name'],
  ['an item in its place', { byPlace: ['long'] }, { byPlace: ['long', 'ok'] }],
  ['an item that moved', { byPlace: ['long', 'a'] }, { byPlace: ['a', 'long'] }, 'spec.byPlace[1]'],
  ['a set as before', { set: ['long'] }, { set: ['long'], other: 'x' }],
  ['a set that grew', { set: ['long'] }, { set: ['long', 'ok'] }, 'spec.set[0]'],
  ['an atomic list as before', { atomic: ['long'] }, { atomic: ['long'], other: 'x' }],
  ['an atomic list that grew', { atomic: ['long'] }, { atomic: ['long', 'a'] }, 'spec.atomic[0]'],
  ['twins that were there', { set: ['a', 'a'] }, { set: ['a', 'a', 'b', 'b'] }],
  ['twins that are new', { set: ['a'] }, { set: ['a', 'a'] }, 'spec.set[1]'],
  ['a value that is not in the enum as before', { nullable: 'z' }, { nullable: 'z', other: 'x' }],
  ['a junctor over what has not changed', { either: {} }, { either: {}, other: 'x' }],
  ['another type than before', { name: 5 }, { name: 6 }, 'spec.name'],
  ['the same wrong type', { name: 5 }, { name: 5, other: 'x' }],
  ['a rule about what has not changed', { ruled: 'long' }, { ruled: 'long', other: 'x' }],
  ['a rule about what has changed', { ruled: 'long' }, { ruled: 'longer' }, 'spec.ruled'],
  ['a rule about an item in its place', { ruledList: ['long'] }, { ruledList: ['long', 'ok'] }],
  ['a rule about a new item', { ruledList: ['long'] }, { ruledList: ['long', 'long'] }, 'spec.ruledList[1]'],
  ['a transition that is none', { grows: 1 }, { grows: 1, other: 'x' }, 'spec.grows'],
  ['a transition', { grows: 1 }, { grows: 2 }],
]

function byKey(...items: readonly [key: string, name: string][]): object {
  return { byKey: items.map(([key, name]) => ({ key, name })) }
}

const schema = compileSchema(kindOf(SPEC))
/** Without the remark, on no field, that rules were not run. */
function blamed(after: object, before: object | undefined): string[] {
  const causes = schema.check(objectOf(after), before && objectOf(before))
  return causes.map(({ field }) => field).filter((field) => field !== '<nil>')
}

for (const [what, before, after, ...fields] of ROWS)
  test(`${what}: ${fields.length === 0 ? 'fine' : fields.join()}`, () => {
    assert.equal(blamed(after, before), fields)
  })

test('a create has no past', () => {
  for (const [what, before, after] of ROWS.filter(([, before, , ...fields]) => 'name' in before && fields.length === 0))
    if ('name' in after) assert.equal(blamed(after, undefined), ['spec.name'], `${what}: ${JSON.stringify(before)}`)
})

test('what was bad a hundred times hides nothing that is new', () => {
  const before = { byPlace: Array.from({ length: 500 }, () => 'long') }
  assert.equal(blamed({ ...before, name: 'long' }, before), ['spec.name'])
  assert.equal(blamed({ name: 'long', ...before }, before), ['spec.name'])
})

test.run()
