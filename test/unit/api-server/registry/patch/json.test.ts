import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StatusError } from '../../../../../api-server/registry/errors.ts'
import { jsonPatch } from '../../../../../api-server/registry/patch/json.ts'

const test = suite('JSON patch')

/** RFC 6902, appendix A, and what its sentences add. */
const APPLIES: readonly (readonly [string, unknown, unknown[], unknown])[] = [
  ['adds a member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { baz: 'qux', foo: 'bar' }],
  ['adds to a list', { a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
  ['adds at the end', { a: [1] }, [{ op: 'add', path: '/a/-', value: [2] }], { a: [1, [2]] }],
  ['adds at the index behind the last', { a: [1] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2] }],
  ['adds over what is there', { a: 1 }, [{ op: 'add', path: '/a', value: null }], { a: null }],
  ['removes a member', { a: 1, b: 2 }, [{ op: 'remove', path: '/b' }], { a: 1 }],
  ['removes from a list', { a: [1, 2, 3] }, [{ op: 'remove', path: '/a/1' }], { a: [1, 3] }],
  ['replaces', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: { c: 2 } }], { a: { b: { c: 2 } } }],
  ['replaces the whole', { a: 1 }, [{ op: 'replace', path: '', value: [] }], []],
  ['moves', { a: { x: 1 }, b: {} }, [{ op: 'move', from: '/a/x', path: '/b/y' }], { a: {}, b: { y: 1 } }],
  ['moves in a list', { a: [1, 2, 3] }, [{ op: 'move', from: '/a/0', path: '/a/2' }], { a: [2, 3, 1] }],
  ['copies', { a: { x: [1] } }, [{ op: 'copy', from: '/a/x', path: '/b' }], { a: { x: [1] }, b: [1] }],
  ['tests a text', { a: 'x' }, [{ op: 'test', path: '/a', value: 'x' }], { a: 'x' }],
  [
    'tests an object, in any order',
    { a: { x: 1, y: [2] } },
    [{ op: 'test', path: '/a', value: { y: [2], x: 1 } }],
    { a: { x: 1, y: [2] } },
  ],
  [
    'reads ~0 and ~1',
    { 'a/b': 1, 'm~n': 2 },
    [
      { op: 'remove', path: '/a~1b' },
      { op: 'replace', path: '/m~0n', value: 3 },
    ],
    { 'm~n': 3 },
  ],
  ['reads the empty member', { '': 1 }, [{ op: 'remove', path: '/' }], {}],
  ['does not mind further members', { a: 1 }, [{ op: 'remove', path: '/a', comment: 'x' }], {}],
  [
    'changes a copy only',
    { a: { x: 1 } },
    [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'add', path: '/b/y', value: 2 },
    ],
    { a: { x: 1 }, b: { x: 1, y: 2 } },
  ],
  ['holds a member named constructor', {}, [{ op: 'add', path: '/constructor', value: 1 }], { constructor: 1 }],
]

for (const [title, target, patch, result] of APPLIES)
  test(`it ${title}`, () => assert.equal(jsonPatch(structuredClone(target), patch), result))

const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) })

const REFUSED: readonly (readonly [string, unknown, unknown, number])[] = [
  ['no list', {}, { op: 'add' }, 400],
  ['null', {}, null, 400],
  ['an operation that is no object', {}, ['add'], 400],
  ['an unknown operation', {}, [{ op: 'spam', path: '/a', value: 1 }], 400],
  ['an operation named like what every object has', {}, [{ op: 'toString', path: '/a' }], 400],
  ['a missing path', {}, [{ op: 'add', value: 1 }], 400],
  ['a path without its slash', {}, [{ op: 'add', path: 'a', value: 1 }], 400],
  ['a missing value', {}, [{ op: 'add', path: '/a' }], 400],
  ['a missing from', { a: 1 }, [{ op: 'move', path: '/b' }], 400],
  ['a path through __proto__', {}, [{ op: 'add', path: '/__proto__/polluted', value: 1 }], 400],
  ['a from through __proto__', {}, [{ op: 'copy', from: '/__proto__', path: '/a' }], 400],
  ['a path deeper than any object', {}, [{ op: 'add', path: '/a'.repeat(200), value: 1 }], 400],
  ['10 001 operations', {}, Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: {} })), 413],
  ['a failed test', { a: 1 }, [{ op: 'test', path: '/a', value: 2 }], 422],
  ['a failed test of objects', { a: { x: 1 } }, [{ op: 'test', path: '/a', value: { x: 2 } }], 422],
  ['a failed test of an object against null', { a: null }, [{ op: 'test', path: '/a', value: {} }], 422],
  ['a failed test of lists', { a: [1] }, [{ op: 'test', path: '/a', value: [1, 2] }], 422],
  ['a test of what is not there', {}, [{ op: 'test', path: '/a', value: null }], 422],
  ['a test of what every object has', {}, [{ op: 'test', path: '/toString', value: {} }], 422],
  ['a removal of what is not there', {}, [{ op: 'remove', path: '/a' }], 422],
  ['a replacement of what is not there', {}, [{ op: 'replace', path: '/a', value: 1 }], 422],
  ['an addition below what is not there', {}, [{ op: 'add', path: '/a/b', value: 1 }], 422],
  ['an addition to a text', { a: 'x' }, [{ op: 'add', path: '/a/b', value: 1 }], 422],
  ['an addition to null', { a: null }, [{ op: 'add', path: '/a/b', value: 1 }], 422],
  ['an index beyond the end', { a: [] }, [{ op: 'add', path: '/a/1', value: 1 }], 422],
  ['an index with a leading zero', { a: [1, 2] }, [{ op: 'remove', path: '/a/01' }], 422],
  ['a negative index', { a: [1] }, [{ op: 'remove', path: '/a/-1' }], 422],
  ['a name in a list', { a: [1] }, [{ op: 'replace', path: '/a/length', value: 0 }], 422],
  ['a move into itself', { a: { b: {} } }, [{ op: 'move', from: '/a', path: '/a/b/c' }], 422],
  [
    'copies that explode',
    { a: 'x'.repeat(2e6) },
    [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'copy', from: '/a', path: '/c' },
    ],
    422,
  ],
  ['a result nested too deep', deep(100), [{ op: 'add', path: `${'/a'.repeat(99)}/b`, value: deep(100) }], 422],
]

for (const [title, target, patch, code] of REFUSED)
  test(`${title} is refused with ${code}`, () => {
    const error = failureOf(() => jsonPatch(structuredClone(target), patch))
    assert.instance(error, StatusError)
    assert.is((error as StatusError).status.code, code)
    assert.not.match((error as StatusError).message, /\n\s+at /)
  })

function failureOf(run: () => unknown): unknown {
  try {
    return assert.unreachable(JSON.stringify(run()))
  } catch (error) {
    return error
  }
}

test('nothing it is given reaches the prototype of objects', () => {
  const patch = JSON.parse(
    '[{"op":"add","path":"/a","value":{"__proto__":{"polluted":1}}},{"op":"copy","from":"/a","path":"/b"}]',
  )
  jsonPatch({}, patch)
  assert.is(({} as { polluted?: number }).polluted, undefined)
})

test('a patch means the same when it is applied again after a lost race', async () => {
  const pointer = fc
    .array(fc.constantFrom('a', 'b', '0', '-'), { maxLength: 3 })
    .map((path) => path.map((p) => `/${p}`).join(''))
  const operation = fc.record({
    op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
    path: pointer,
    from: pointer,
    value: fc.jsonValue({ maxDepth: 2 }),
  })
  const outcome = (target: unknown, patch: unknown) => {
    try {
      return JSON.stringify(jsonPatch(structuredClone(target), patch))
    } catch (error) {
      if (error instanceof StatusError) return error.message
      throw error
    }
  }
  await fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.array(operation, { maxLength: 6 }), (target, patch) => {
      const before = JSON.stringify(patch)
      assert.is(outcome(target, patch), outcome(target, patch))
      assert.is(JSON.stringify(patch), before)
    }),
    { numRuns: 2_000, seed: 1 },
  )
})

test('ten thousand operations on a long list take well under a second', () => {
  const patch = Array.from({ length: 10_000 }, () => ({ op: 'add', path: '/a/-', value: 1 }))
  const start = performance.now()
  const { a } = jsonPatch({ a: Array.from({ length: 300_000 }, () => 0) }, patch) as { a: number[] }
  assert.is(a.length, 310_000)
  assert.ok(performance.now() - start < 1_000)
})

test.run()
