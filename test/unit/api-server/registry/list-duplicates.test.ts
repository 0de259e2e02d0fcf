/** Elements that come twice where the schema says that they cannot. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as z from 'zod'
import { duplicatesIn } from '../../../../api-server/registry/list-duplicates.ts'
import { type ApiObject, defineKind } from '../../../../crds/kind.ts'

const test = suite('duplicates in lists')

const keyed = (...keys: string[]) => ({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys })
const Element = z.strictObject({ name: z.string(), port: z.int().optional(), inner: z.array(z.string()).optional() })
const KIND = defineKind({
  group: 'test.dev',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  scope: 'Cluster',
  description: 'A thing.',
  fields: {
    spec: z.strictObject({
      byName: z.array(Element).meta(keyed('name')).optional(),
      byBoth: z.array(Element).meta(keyed('name', 'port')).optional(),
      words: z.array(z.string()).meta({ 'x-kubernetes-list-type': 'set' }).optional(),
      plain: z.array(z.string()).optional(),
      map: z.record(z.string(), z.array(z.string()).meta({ 'x-kubernetes-list-type': 'set' })).optional(),
    }),
  },
  columns: [],
})

const thing = (spec: object): ApiObject => ({
  apiVersion: 'test.dev/v1',
  kind: 'Thing',
  metadata: { name: 'a', finalizers: ['x/y', 'x/y'] },
  spec,
})

const CASES: readonly (readonly [title: string, spec: object, ...found: (readonly [string, string])[]])[] = [
  ['none', { byName: [{ name: 'a' }, { name: 'b' }], words: ['a', 'b'] }],
  ['one key', { byName: [{ name: 'a' }, { name: 'a' }] }, ['spec.byName[1]', 'Duplicate value: {"name":"a"}']],
  [
    'three times is told once',
    { byName: [{ name: 'a' }, { name: 'a' }, { name: 'a' }] },
    ['spec.byName[1]', 'Duplicate value: {"name":"a"}'],
  ],
  ['half a key is no duplicate', { byBoth: [{ name: 'a', port: 1 }, { name: 'a', port: 2 }, { name: 'a' }] }],
  [
    'two keys',
    { byBoth: [{ name: 'a', port: 1 }, { name: 'b' }, { name: 'a', port: 1 }] },
    ['spec.byBoth[2]', 'Duplicate value: {"name":"a","port":1}'],
  ],
  ['a set', { words: ['a', 'b', 'a'] }, ['spec.words[2]', 'Duplicate value: "a"']],
  ['a plain list may repeat itself', { plain: ['a', 'a'] }],
  ['inside a map', { map: { x: ['a', 'a'] } }, ['spec.map.x[1]', 'Duplicate value: "a"']],
  ['a key that every object has', { map: { constructor: ['a'], toString: ['a'] } }],
]

for (const [title, spec, ...found] of CASES)
  test(title, () => {
    const causes = duplicatesIn(KIND, thing(spec), undefined)
    assert.equal(
      causes.map(({ field, message, reason }) => [field, message, reason]),
      found.map((one) => [...one, 'FieldValueDuplicate']),
    )
  })

test('an object that had some before may still be written', () => {
  const twice = thing({ words: ['a', 'a'] })
  assert.is(duplicatesIn(KIND, thing({ words: ['b', 'b'] }), twice).length, 0)
  assert.is(duplicatesIn(KIND, twice, thing({ words: ['a'] })).length, 1)
})

test('Kubernetes’ own kinds are left to their rules', () => {
  assert.is(duplicatesIn({ ...KIND, builtIn: true }, thing({ words: ['a', 'a'] }), undefined).length, 0)
})

test.run()
