import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mergePatch } from '../../../../../api-server/registry/patch/merge.ts'

const test = suite('merge patch')

/** RFC 7386, appendix A: target, patch, result. */
const CASES: readonly (readonly [unknown, unknown, unknown])[] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
]

for (const [target, patch, result] of CASES)
  test(`${JSON.stringify(target)} with ${JSON.stringify(patch)} is ${JSON.stringify(result)}`, () =>
    assert.equal(mergePatch(target, patch), result))

test('neither side is changed, and applying it twice is applying it once', async () => {
  await fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (target, patch) => {
      const before = JSON.stringify([target, patch])
      const once = mergePatch(target, patch)
      assert.equal(mergePatch(once, patch), once)
      assert.is(JSON.stringify([target, patch]), before)
    }),
    { numRuns: 1_000, seed: 2 },
  )
})

test('what the result shares with the patch cannot be changed through it', () => {
  const patch = { list: [{ a: 1 }] }
  const result = mergePatch({}, patch) as typeof patch
  delete (result.list[0] as { a?: number }).a
  assert.equal(patch, { list: [{ a: 1 }] })
})

test('a member named __proto__ stays an ordinary member', () => {
  const result = mergePatch({}, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'))
  assert.is(({} as { polluted?: number }).polluted, undefined)
  assert.is(JSON.stringify(result), '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')
})

test.run()
