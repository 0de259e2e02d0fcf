import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Json, threeWayPatch } from '../../../../bin/client/three-way.ts'

const test = suite('three-way patch')

interface Case {
  readonly title: string
  readonly last: Json
  readonly current: Json
  readonly wanted: Json
  readonly patch: Json | undefined
}

const CASES: readonly Case[] = [
  { title: 'nothing to do', last: { a: 1 }, current: { a: 1, b: 2 }, wanted: { a: 1 }, patch: undefined },
  { title: 'a changed field', last: { a: 1 }, current: { a: 1 }, wanted: { a: 2 }, patch: { a: 2 } },
  { title: 'a field that others changed back', last: { a: 1 }, current: { a: 9 }, wanted: { a: 1 }, patch: { a: 1 } },
  {
    title: 'a field no more wanted',
    last: { a: 1, b: 1 },
    current: { a: 1, b: 1 },
    wanted: { a: 1 },
    patch: { b: null },
  },
  { title: 'no more wanted and gone already', last: { a: 1 }, current: {}, wanted: {}, patch: undefined },
  {
    title: 'fields of others stay, deep down',
    last: {},
    current: { s: { x: 1 } },
    wanted: { s: { y: 2 } },
    patch: { s: { y: 2 } },
  },
  {
    title: 'lists are replaced whole',
    last: { l: [1, 2] },
    current: { l: [1, 2] },
    wanted: { l: [2] },
    patch: { l: [2] },
  },
  {
    title: 'an object in the place of a value',
    last: {},
    current: { a: 1 },
    wanted: { a: { b: 1 } },
    patch: { a: { b: 1 } },
  },
  {
    title: 'null removes what was applied',
    last: { a: 1 },
    current: { a: 1 },
    wanted: { a: null },
    patch: { a: null },
  },
  { title: 'null leaves what others set', last: {}, current: { a: 1 }, wanted: { a: null }, patch: undefined },
  { title: 'an empty object is a value', last: {}, current: {}, wanted: { a: {} }, patch: { a: {} } },
]

for (const { title, last, current, wanted, patch } of CASES)
  test(title, () => assert.equal(threeWayPatch(last, current, wanted), patch))

test('a key of Object.prototype is a field like any other', () => {
  const wanted = JSON.parse('{"constructor": "x", "__proto__": "y"}')
  assert.is(JSON.stringify(threeWayPatch({}, {}, wanted)), '{"constructor":"x","__proto__":"y"}')
})

const objects = fc.object({
  maxDepth: 3,
  values: [fc.integer({ min: 0, max: 3 }), fc.boolean()],
  key: fc.constantFrom('a', 'b', 'c', '__proto__'),
})

test('applied to what is there, the patch leaves nothing more to do', () => {
  fc.assert(
    fc.property(objects, objects, objects, (last, current, wanted) => {
      const [before, now, next] = [last, current, wanted].map((each) => JSON.parse(JSON.stringify(each)) as Json)
      const patch = threeWayPatch(before as Json, now as Json, next as Json)
      const result = merge(now, patch ?? {}) as Json
      assert.is(threeWayPatch(next as Json, result, next as Json), undefined)
    }),
  )
})

/** RFC 7386, as the server does it. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {}
  const result = new Map<string, unknown>(Object.entries(base))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key)
    else result.set(key, merge(result.get(key), value))
  }
  return JSON.parse(
    `{${[...result].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`,
  )
}

test.run()
