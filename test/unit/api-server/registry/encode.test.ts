import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encodingOf, storeKey } from '../../../../api-server/registry/encode.ts'
import { Lease } from '../../../../crds/index.ts'
import type { Kind } from '../../../../crds/kind.ts'
import { UNIT } from './with-registry.ts'

const test = suite('stored form')

test('keys lie by group, plural, namespace and name', () => {
  assert.is(storeKey(UNIT, undefined, 'a.service'), '/r/flotilla.dev/units/-/a.service')
  assert.is(storeKey(Lease as Kind, 'default', 'a'), '/r/coordination.k8s.io/leases/default/a')
})

test('what was encoded is rendered with its version, whatever names and values hold', async () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '"resourceVersion":"1"'))
  const metadata = fc.record({
    name: text,
    labels: fc.dictionary(text, text),
    annotations: fc.dictionary(text, text),
    resourceVersion: fc.constantFrom('5', undefined),
  })
  const object = fc.record({ metadata, spec: fc.jsonValue(), status: fc.option(fc.jsonValue(), { nil: undefined }) })
  const encoding = encodingOf(UNIT)
  await fc.assert(
    fc.property(object, fc.bigInt({ min: 1n, max: 2n ** 62n }), (rest, version) => {
      const whole = { apiVersion: UNIT.apiVersion, kind: UNIT.kind, ...rest } as never
      const rendered = JSON.parse(encoding.render(encoding.encode(whole), version).toString())
      const { resourceVersion: _version, ...kept } = rest.metadata
      const { metadata: _metadata, ...fields } = rest
      const expected = { ...(whole as object), ...fields, metadata: { ...kept, resourceVersion: String(version) } }
      assert.equal(rendered, JSON.parse(JSON.stringify(expected)))
    }),
    { numRuns: 1_000, seed: 5 },
  )
})

test('an object of nothing but metadata is rendered, too', () => {
  const encoding = encodingOf(UNIT)
  const stored = encoding.encode({ apiVersion: 'x', kind: 'y', metadata: { name: 'a' } })
  const { metadata, ...rest } = JSON.parse(encoding.render(stored, 7n).toString())
  assert.equal(metadata, { resourceVersion: '7', name: 'a' })
  assert.equal(rest, { apiVersion: 'flotilla.dev/v1', kind: 'Unit' })
})

test.run()
