import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compare } from '../../../../../api-server/registry/managed-fields/compare.ts'
import { type FieldSet, pathsOf, showPath } from '../../../../../api-server/registry/managed-fields/field-set.ts'
import { fieldsOf } from '../../../../../api-server/registry/managed-fields/fields-of.ts'
import { merge, mergedOrder } from '../../../../../api-server/registry/managed-fields/merge.ts'
import { removeFields } from '../../../../../api-server/registry/managed-fields/remove.ts'
import { TOY } from './toy-type.ts'

const test = suite('objects by field')

const show = (set: FieldSet) => [...pathsOf(set)].map(showPath)

interface Case {
  readonly title: string
  readonly before: Record<string, unknown> | undefined
  readonly after: Record<string, unknown> | undefined
  readonly changed?: readonly string[]
  readonly removed?: readonly string[]
}

const COMPARISONS: readonly Case[] = [
  { title: 'the same', before: { image: 'a', env: [{ name: 'x' }] }, after: { image: 'a', env: [{ name: 'x' }] } },
  { title: 'a new field', before: {}, after: { image: 'a' }, changed: ['.image'] },
  { title: 'another value', before: { image: 'a' }, after: { image: 'b' }, changed: ['.image'] },
  { title: 'a field gone', before: { image: 'a' }, after: {}, removed: ['.image'] },
  { title: 'a new map and all in it', before: {}, after: { labels: { a: '1' } }, changed: ['.labels', '.labels.a'] },
  { title: 'a map gone', before: { labels: { a: '1' } }, after: {}, removed: ['.labels', '.labels.a'] },
  { title: 'an empty map is something', before: {}, after: { labels: {} }, changed: ['.labels'] },
  { title: 'a map that lost all', before: { labels: { a: '1' } }, after: { labels: {} }, removed: ['.labels.a'] },
  {
    title: 'list elements by key, whatever their order',
    before: { env: [{ name: 'a', value: '1' }, { name: 'b' }] },
    after: { env: [{ name: 'b' }, { name: 'a', value: '2' }] },
    changed: ['.env[name="a"].value'],
  },
  {
    title: 'a list element that goes and one that comes',
    before: { env: [{ name: 'a' }] },
    after: { env: [{ name: 'b' }] },
    changed: ['.env[name="b"]', '.env[name="b"].name'],
    removed: ['.env[name="a"]', '.env[name="a"].name'],
  },
  {
    title: 'a key that has a default',
    before: { ports: [{ port: 80 }] },
    after: { ports: [{ port: 80, protocol: 'TCP' }] },
    changed: ['.ports[port=80,protocol="TCP"].protocol'],
  },
  {
    title: 'sets by value',
    before: { set: ['a', 'b'] },
    after: { set: ['b', 'c'] },
    changed: ['.set[="c"]'],
    removed: ['.set[="a"]'],
  },
  { title: 'atomic lists as a whole', before: { args: ['a'] }, after: { args: ['a', 'b'] }, changed: ['.args'] },
  { title: 'atomic maps as a whole', before: { ref: { a: 1 } }, after: { ref: { b: 1 } }, changed: ['.ref'] },
  {
    title: 'free-form maps by key, lists in them as a whole',
    before: { free: { a: { b: [1] }, c: 1 } },
    after: { free: { a: { b: [2] }, c: 1 } },
    changed: ['.free.a.b'],
  },
  {
    title: 'a value of another form',
    before: { free: { a: { b: 1 } } },
    after: { free: { a: 'x' } },
    changed: ['.free.a'],
    removed: ['.free.a', '.free.a.b'],
  },
  {
    title: 'duplicates as one thing',
    before: { env: [{ name: 'a' }, { name: 'a', value: '1' }] },
    after: { env: [{ name: 'a' }, { name: 'a', value: '2' }] },
    changed: ['.env[name="a"]'],
  },
  {
    title: 'duplicates that became one',
    before: { env: [{ name: 'a' }, { name: 'a' }] },
    after: { env: [{ name: 'a' }] },
    changed: ['.env[name="a"]', '.env[name="a"].name'],
    removed: ['.env[name="a"]'],
  },
  { title: 'null is a value', before: {}, after: { image: null }, changed: ['.image'] },
  { title: 'from nothing', before: undefined, after: { image: 'a' }, changed: ['.image'] },
]

for (const { title, before, after, changed = [], removed = [] } of COMPARISONS)
  test(`compared: ${title}`, () => {
    const comparison = compare(TOY, before, after)
    assert.equal(show(comparison.changed), changed)
    assert.equal(show(comparison.removed), removed)
  })

const FIELDS: readonly { readonly config: Record<string, unknown>; readonly fields: readonly string[] }[] = [
  { config: { image: 'a' }, fields: ['.image'] },
  { config: { image: null }, fields: ['.image'] },
  { config: { labels: { a: '1' } }, fields: ['.labels.a'] },
  { config: { labels: {} }, fields: ['.labels'] },
  {
    config: { env: [{ name: 'a', value: '1' }] },
    fields: ['.env[name="a"]', '.env[name="a"].name', '.env[name="a"].value'],
  },
  { config: { env: [] }, fields: [] },
  { config: { set: ['a', 1] }, fields: ['.set[="a"]', '.set[=1]'] },
  { config: { args: [] }, fields: ['.args'] },
  { config: { ref: { a: 1 } }, fields: ['.ref'] },
  { config: { free: { a: { b: 1 } } }, fields: ['.free.a', '.free.a.b'] },
  { config: { nobodyKnows: 1 }, fields: [] },
]

for (const { config, fields } of FIELDS)
  test(`who applies ${JSON.stringify(config)} owns ${fields.join(' ') || 'nothing'}`, () => {
    assert.equal(show(fieldsOf(TOY, config).set), fields)
  })

const PROBLEMS: readonly { readonly config: Record<string, unknown>; readonly problem: string }[] = [
  { config: { env: [{ name: 'a' }, { name: 'a' }] }, problem: '.env: duplicate entries for key [name="a"]' },
  { config: { set: ['a', 'a'] }, problem: '.set: duplicate entries for key [="a"]' },
  {
    config: { ports: [{ port: 80 }, { port: 80, protocol: 'TCP' }] },
    problem: '.ports: duplicate entries for key [port=80,protocol="TCP"]',
  },
  {
    config: { env: [{ value: 'a' }] },
    problem:
      '.env: element 0: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)',
  },
  { config: { env: ['a'] }, problem: '.env: element 0: associative list with keys may not have non-map elements' },
  { config: { env: [{ name: {} }] }, problem: '.env: element 0: key field "name" must be a scalar' },
  { config: { set: [{}] }, problem: '.set: element 0: an element of a set must be a string, a number or a boolean' },
]

for (const { config, problem } of PROBLEMS)
  test(`${JSON.stringify(config)} cannot be applied`, () => {
    assert.equal(fieldsOf(TOY, config).problems, [problem])
  })

interface Merge {
  readonly title: string
  readonly live: Record<string, unknown>
  readonly config: Record<string, unknown>
  readonly merged: Record<string, unknown>
}

const MERGES: readonly Merge[] = [
  { title: 'fields add up', live: { image: 'a' }, config: { replicas: 1 }, merged: { image: 'a', replicas: 1 } },
  { title: 'the configuration wins', live: { image: 'a' }, config: { image: 'b' }, merged: { image: 'b' } },
  {
    title: 'maps by key',
    live: { labels: { a: '1' } },
    config: { labels: { b: '2' } },
    merged: { labels: { a: '1', b: '2' } },
  },
  {
    title: 'an empty map takes nothing',
    live: { labels: { a: '1' } },
    config: { labels: {} },
    merged: { labels: { a: '1' } },
  },
  {
    title: 'null takes nothing from a map',
    live: { labels: { a: '1' } },
    config: { labels: null },
    merged: { labels: { a: '1' } },
  },
  { title: 'null is a scalar', live: { image: 'a' }, config: { image: null }, merged: { image: null } },
  {
    title: 'lists by key',
    live: { env: [{ name: 'a', value: '1' }] },
    config: { env: [{ name: 'b' }, { name: 'a', more: 'x' }] },
    merged: { env: [{ name: 'b' }, { name: 'a', value: '1', more: 'x' }] },
  },
  { title: 'atomic lists are replaced', live: { args: ['a'] }, config: { args: ['b'] }, merged: { args: ['b'] } },
  { title: 'atomic maps are replaced', live: { ref: { a: 1 } }, config: { ref: { b: 1 } }, merged: { ref: { b: 1 } } },
  { title: 'sets unite', live: { set: ['a', 'b'] }, config: { set: ['b', 'c'] }, merged: { set: ['a', 'b', 'c'] } },
  {
    title: 'another form replaces',
    live: { free: { a: [1] } },
    config: { free: { a: { b: 1 } } },
    merged: { free: { a: { b: 1 } } },
  },
  {
    title: 'live duplicates stay where they are not spoken of',
    live: { env: [{ name: 'a' }, { name: 'a' }] },
    config: { env: [{ name: 'b' }] },
    merged: { env: [{ name: 'a' }, { name: 'a' }, { name: 'b' }] },
  },
]

for (const { title, live, config, merged } of MERGES)
  test(`merged: ${title}`, () => {
    const before = JSON.stringify([live, config])
    assert.equal(merge(TOY, live, config), merged)
    assert.is(JSON.stringify([live, config]), before)
  })

test('the prototype is out of reach of what is merged', () => {
  const config = JSON.parse('{"free":{"__proto__":{"polluted":true}}}')
  const merged = merge(TOY, { free: { a: 1 } }, config) as { free: object }
  assert.is(JSON.stringify(merged), '{"free":{"a":1,"__proto__":{"polluted":true}}}')
  assert.is(({} as { polluted?: boolean }).polluted, undefined)
  assert.equal(show(fieldsOf(TOY, config).set), ['.free.__proto__', '.free.__proto__.polluted'])
})

const ORDERS: readonly [live: string, config: string, merged: string][] = [
  ['', 'ab', 'ab'],
  ['ab', '', 'ab'],
  ['ab', 'ab', 'ab'],
  ['ab', 'ba', 'ba'],
  ['abc', 'cx', 'abcx'],
  ['abc', 'xc', 'abxc'],
  ['abcd', 'db', 'acdb'],
  ['axb', 'bya', 'xbya'],
]

for (const [live, config, merged] of ORDERS)
  test(`a list ${live || 'of nothing'} under a configuration ${config || 'of nothing'} is in the order ${merged}`, () => {
    assert.is(mergedOrder([...live], [...config]).join(''), merged)
  })

test('what is removed is gone, and what held it stays', () => {
  const object = { image: 'a', labels: { a: '1' }, env: [{ name: 'a', value: '1' }, { name: 'b' }], set: ['x', 'y'] }
  const gone = {
    'f:image': {},
    'f:labels': { 'f:a': {} },
    'f:env': { 'k:{"name":"a"}': { 'f:value': {} }, 'k:{"name":"b"}': {} },
    'f:set': { 'v:"x"': {} },
  }
  assert.equal(removeFields(TOY, object, gone), { labels: {}, env: [{ name: 'a' }], set: ['y'] })
  assert.is(object.image, 'a')
})

test.run()
