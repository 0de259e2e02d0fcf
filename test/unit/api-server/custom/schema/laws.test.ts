import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkSchema, compileSchema } from '../../../../../api-server/custom/schema/index.ts'
import type { JsonSchema } from '../../../../../crds/json-schema.ts'
import { kindOf, objectOf } from './fixture.ts'

const test = suite('laws of every schema and every object')

const name = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor')
const schemaName = fc.constantFrom('a', 'b', 'c', 'constructor')

/** Structural schemas of all shapes; a default is one that fits. */
const { schema } = fc.letrec<{ schema: JsonSchema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<JsonSchema>(
      { type: 'string' },
      { type: 'string', default: 'd' },
      { type: 'string', nullable: true },
      { type: 'integer', default: 0, maximum: 9 },
      { type: 'boolean' },
      { 'x-kubernetes-int-or-string': true },
      { 'x-kubernetes-preserve-unknown-fields': true },
      { type: 'object', additionalProperties: true },
    ),
    fc.record({ properties: fc.dictionary(schemaName, tie('schema')), preset: fc.boolean(), kept: fc.boolean() }).map(
      ({ properties, preset, kept }): JsonSchema => ({
        type: 'object',
        properties,
        ...(preset && { default: {} }),
        ...(kept && { 'x-kubernetes-preserve-unknown-fields': true }),
      }),
    ),
    tie('schema').map((items): JsonSchema => ({ type: 'array', items })),
    tie('schema').map((additionalProperties): JsonSchema => ({ type: 'object', additionalProperties })),
  ),
}))

const value = fc
  .jsonValue({ maxDepth: 5 })
  .chain((any) =>
    fc.oneof(
      fc.constant(any),
      fc.dictionary(name, fc.dictionary(name, fc.constant(any))),
      fc.dictionary(name, fc.array(fc.dictionary(name, fc.constantFrom(null, 'x', 1, true, any)))),
    ),
  )
/** JSON's own idea of the value: `__proto__` is a key like any other. */
const json = (any: unknown): unknown => JSON.parse(JSON.stringify(any))

test.after.each(() => assert.equal(Object.keys(Object.prototype), [], 'what all objects share is as it was'))

test('such schemas are structural', () => {
  fc.assert(
    fc.property(schema, (x) => assert.equal(checkSchema(kindOf({ properties: { x } }), ['crd']), [])),
    { numRuns: 200 },
  )
})

test('a second pass of pruning and defaulting changes nothing', () => {
  fc.assert(
    fc.property(schema, value, (x, any) => {
      const compiled = compileSchema(kindOf({ properties: { x } }))
      const object = objectOf(json({ x: any, y: any }))
      compiled.fillDefaults(object)
      compiled.prune(object)
      const once = JSON.stringify(object)
      compiled.fillDefaults(object)
      assert.equal(compiled.prune(object), [])
      assert.is(JSON.stringify(object), once)
    }),
    { numRuns: 500 },
  )
})

test('what pruning takes, no check misses', () => {
  fc.assert(
    fc.property(schema, value, (x, any) => {
      const compiled = compileSchema(kindOf({ properties: { x } }))
      const [whole, pruned] = [objectOf(json({ x: any })), objectOf(json({ x: any }))]
      compiled.prune(pruned)
      assert.equal(compiled.check(pruned, undefined), compiled.check(whole, undefined))
    }),
    { numRuns: 300 },
  )
})

test('what a valid object was, it is after a default filled it', () => {
  fc.assert(
    fc.property(schema, value, (x, any) => {
      const compiled = compileSchema(kindOf({ properties: { x } }))
      const object = objectOf(json({ x: any }))
      if (compiled.check(object, undefined).length > 0) return
      compiled.fillDefaults(object)
      assert.equal(compiled.check(object, undefined), [])
    }),
    { numRuns: 300 },
  )
})

test.run()
