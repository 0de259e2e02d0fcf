import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  below,
  difference,
  type FieldPath,
  type FieldSet,
  type FieldSetBuilder,
  has,
  inOrder,
  insert,
  intersection,
  isEmpty,
  pathsOf,
  showPath,
  union,
} from '../../../../../api-server/registry/managed-fields/field-set.ts'
import {
  MAX_FIELDS,
  MalformedFieldsError,
  OversizedFieldsError,
  parseFieldSet,
} from '../../../../../api-server/registry/managed-fields/parse-field-set.ts'

const test = suite('field sets')

const anyElement = fc.constantFrom('f:a', 'f:b', 'f:c', 'f:__proto__', 'k:{"name":"x"}', 'v:"y"', 'v:1')
const anyPath = fc.array(anyElement, { minLength: 1, maxLength: 4 })
const anyPaths = fc.array(anyPath, { maxLength: 8 })

function setOf(paths: readonly FieldPath[]): FieldSet {
  const set: FieldSetBuilder = {}
  for (const path of paths) insert(set, path)
  return set
}

const keyOf = (path: FieldPath) => path.join('\u0000')
const keysOf = (paths: Iterable<FieldPath>) => new Set([...paths].map(keyOf))
const sorted = (keys: Iterable<string>) => [...keys].sort()
const parse = (value: unknown) => parseFieldSet(value, { fields: MAX_FIELDS })

test('a set holds exactly the paths that were put in', async () => {
  await fc.assert(
    fc.property(anyPaths, (paths) => {
      assert.equal(sorted(keysOf(pathsOf(setOf(paths)))), sorted(keysOf(paths)))
    }),
  )
})

test('union, difference and intersection are those of sets of paths', async () => {
  await fc.assert(
    fc.property(anyPaths, anyPaths, (left, right) => {
      const [a, b] = [setOf(left), setOf(right)]
      const before = JSON.stringify([a, b])
      const [inA, inB] = [keysOf(left), keysOf(right)]
      assert.equal(sorted(keysOf(pathsOf(union(a, b)))), sorted(new Set([...inA, ...inB])))
      assert.equal(sorted(keysOf(pathsOf(difference(a, b)))), sorted([...inA].filter((key) => !inB.has(key))))
      assert.equal(sorted(keysOf(pathsOf(intersection(a, b)))), sorted([...inA].filter((key) => inB.has(key))))
      assert.is(JSON.stringify([a, b]), before)
    }),
  )
})

test('an operation that changes nothing returns the very same set', async () => {
  await fc.assert(
    fc.property(anyPaths, anyPaths, (left, right) => {
      const a = setOf([...left, ...right])
      const b = setOf(right)
      assert.is(union(a, b), a)
      assert.is(difference(a, difference(b, a)), a)
    }),
  )
})

test('what is written is read back, in the order of its elements', async () => {
  await fc.assert(
    fc.property(anyPaths, (paths) => {
      const set = inOrder(setOf(paths))
      assert.is(JSON.stringify(inOrder(parse(JSON.parse(JSON.stringify(set))))), JSON.stringify(set))
    }),
  )
})

test('a path and the paths below it are told apart', () => {
  const set = setOf([['f:a'], ['f:a', 'f:b'], ['f:c', 'f:d']])
  assert.equal(JSON.parse(JSON.stringify(inOrder(set))), { 'f:a': { '.': {}, 'f:b': {} }, 'f:c': { 'f:d': {} } })
  assert.equal([has(set, 'f:a'), has(set, 'f:c'), has(set, 'f:x')], [true, false, false])
  assert.ok(isEmpty(below(setOf([['f:a']]), 'f:a')))
})

test('paths are shown as Kubernetes shows them', () => {
  const path = ['f:spec', 'f:ports', 'k:{"containerPort":80,"protocol":"TCP"}', 'f:names', 'v:"x"']
  assert.is(showPath(path), '.spec.ports[containerPort=80,protocol="TCP"].names[="x"]')
  assert.is(showPath(['f:a', 'i:3']), '.a[3]')
})

test('keys of a list element are put in order, and "." only where it says something', () => {
  assert.equal(JSON.parse(JSON.stringify(parse({ '.': {}, 'f:a': { '.': {}, 'k:{"b":1,"a":"x"}': { '.': {} } } }))), {
    'f:a': { '.': {}, 'k:{"a":"x","b":1}': {} },
  })
})

const MALFORMED: readonly unknown[] = [
  null,
  [],
  'f:a',
  { a: {} },
  { 'f:a': null },
  { 'f:a': [] },
  { 'f:a': { b: {} } },
  { 'k:{}': {} },
  { 'k:[1]': {} },
  { 'k:{"a":{}}': {} },
  { 'k:{': {} },
  { 'v:{}': {} },
  { 'v:': {} },
  { 'i:-1': {} },
  { 'i:1e3': {} },
  { '': {} },
  JSON.parse('{"__proto__":{}}'),
]

for (const value of MALFORMED)
  test(`${JSON.stringify(value)} is no set of fields`, () => {
    assert.throws(
      () => parse(value),
      (error: unknown) => error instanceof MalformedFieldsError,
    )
  })

test('sets that are too deep, too many or too long are refused before they are walked', () => {
  const isOversized = (error: unknown) => error instanceof OversizedFieldsError
  let deep: object = {}
  for (let level = 0; level < 5_000; level++) deep = { 'f:a': deep }
  assert.throws(() => parse(deep), isOversized)
  const many = Object.fromEntries(Array.from({ length: MAX_FIELDS + 1 }, (_, at) => [`f:${at}`, {}]))
  assert.throws(() => parse(many), isOversized)
  assert.throws(() => parse({ [`f:${'x'.repeat(5_000)}`]: {} }), isOversized)
})

test('no input whatever makes the parser do anything but refuse', async () => {
  await fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      try {
        parse(value)
      } catch (error) {
        assert.ok(error instanceof MalformedFieldsError || error instanceof OversizedFieldsError)
      }
    }),
  )
})

test.run()
