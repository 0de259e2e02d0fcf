import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StatusError } from '../../../../../api-server/registry/errors.ts'
import { mergeType, mergeTypeOf } from '../../../../../api-server/registry/patch/merge-type.ts'
import { strategicPatch } from '../../../../../api-server/registry/patch/strategic.ts'
import { Node, Pod, PodDisruptionBudget, Service } from '../../../../../crds/index.ts'
import type { Kind } from '../../../../../crds/kind.ts'

const test = suite('strategic merge patch')

const keyedBy = (key: string) => ({
  type: 'array',
  items: { type: 'object' },
  'x-kubernetes-patch-merge-key': key,
  'x-kubernetes-patch-strategy': 'merge',
})
const TYPE = mergeType({
  properties: {
    containers: keyedBy('name'),
    finalizers: { type: 'array', items: { type: 'string' }, 'x-kubernetes-patch-strategy': 'merge' },
    selector: { type: 'object', 'x-kubernetes-patch-strategy': 'replace' },
  },
})

const two = [
  { name: 'a', image: '1' },
  { name: 'b', image: '2' },
]

const CASES: readonly (readonly [string, unknown, unknown, unknown])[] = [
  ['fields merge', { spec: { a: 1, b: 2 } }, { spec: { b: 3, c: null } }, { spec: { a: 1, b: 3 } }],
  ['a null removes', { spec: { a: 1 } }, { spec: null }, {}],
  ['nulls below what is new leave nothing', {}, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
  [
    'a keyed list merges by its key',
    { containers: two },
    { containers: [{ name: 'b', image: '3' }, { name: 'c' }] },
    { containers: [two[0], { name: 'b', image: '3' }, { name: 'c' }] },
  ],
  ['a list without key is replaced', { tolerations: [1, 2] }, { tolerations: [3] }, { tolerations: [3] }],
  [
    'an element is deleted',
    { containers: two },
    { containers: [{ name: 'a', $patch: 'delete' }] },
    { containers: [two[1]] },
  ],
  [
    'an element is replaced',
    { containers: two },
    { containers: [{ name: 'a', $patch: 'replace', tty: true }] },
    { containers: [{ name: 'a', tty: true }, two[1]] },
  ],
  [
    'a list is replaced',
    { containers: two },
    { containers: [{ $patch: 'replace' }, { name: 'z' }] },
    { containers: [{ name: 'z' }] },
  ],
  ['an object is replaced', { spec: { a: 1 } }, { spec: { $patch: 'replace', b: 2 } }, { spec: { b: 2 } }],
  ['an object is emptied', { spec: { a: 1 } }, { spec: { $patch: 'delete' } }, { spec: {} }],
  ['an explicit merge merges', { spec: { a: 1 } }, { spec: { $patch: 'merge', b: 2 } }, { spec: { a: 1, b: 2 } }],
  [
    'an order is followed',
    { containers: two },
    {
      $setElementOrder: 1,
      '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }, { name: 'a' }],
      containers: [{ name: 'c' }],
    },
    { containers: [{ name: 'c' }, two[1], two[0]] },
  ],
  [
    'an order alone reorders',
    { containers: two },
    { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] },
    { containers: [two[1], two[0]] },
  ],
  [
    'what the order does not name keeps its place',
    { containers: [...two, { name: 'c' }] },
    { '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }] },
    { containers: [{ name: 'c' }, two[1], two[0]] },
  ],
  [
    'a set of primitives is joined',
    { finalizers: ['a', 'b'] },
    { finalizers: ['b', 'c'] },
    { finalizers: ['a', 'b', 'c'] },
  ],
  [
    'primitives are deleted, then ordered',
    { finalizers: ['a', 'b', 'c'] },
    { '$setElementOrder/finalizers': ['c', 'a'], '$deleteFromPrimitiveList/finalizers': ['b'] },
    { finalizers: ['c', 'a'] },
  ],
  [
    'only the named keys are retained',
    { strategy: { type: 'a', rolling: { x: 1 } } },
    { strategy: { $retainKeys: ['type'], type: 'b' } },
    { strategy: { type: 'b' } },
  ],
  ['an object that is one thing is replaced', { selector: { a: 1 } }, { selector: { b: 2 } }, { selector: { b: 2 } }],
  [
    'a list named like what every object has is a list',
    {},
    { constructor: [{ a: 1 }], toString: [1] },
    { constructor: [{ a: 1 }], toString: [1] },
  ],
]

const BUILT_IN: readonly (readonly [string, Kind, unknown, unknown, unknown])[] = [
  [
    'container ports go by containerPort',
    Pod as unknown as Kind,
    { spec: { containers: [{ name: 'a', ports: [{ containerPort: 1, name: 'x' }] }] } },
    { spec: { containers: [{ name: 'a', ports: [{ containerPort: 1, protocol: 'UDP' }] }] } },
    { spec: { containers: [{ name: 'a', ports: [{ containerPort: 1, name: 'x', protocol: 'UDP' }] }] } },
  ],
  [
    'service ports go by port',
    Service as unknown as Kind,
    { spec: { ports: [{ port: 1, name: 'x' }] } },
    { spec: { ports: [{ port: 1, nodePort: 2 }] } },
    { spec: { ports: [{ port: 1, name: 'x', nodePort: 2 }] } },
  ],
  [
    'tolerations are one list',
    Pod as unknown as Kind,
    { spec: { tolerations: [{ key: 'a' }] } },
    { spec: { tolerations: [{ key: 'b' }] } },
    { spec: { tolerations: [{ key: 'b' }] } },
  ],
  [
    'taints are one list, because kubectl taint sends all of them',
    Node as unknown as Kind,
    { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }, { key: 'b' }] } },
    { spec: { taints: [{ key: 'a', effect: 'NoExecute' }] } },
    { spec: { taints: [{ key: 'a', effect: 'NoExecute' }] } },
  ],
  [
    'a selector of pods is replaced',
    PodDisruptionBudget as unknown as Kind,
    { spec: { selector: { matchLabels: { a: '1' } } } },
    { spec: { selector: { matchLabels: { b: '2' } } } },
    { spec: { selector: { matchLabels: { b: '2' } } } },
  ],
  [
    'owners of any object go by uid',
    Pod as unknown as Kind,
    { metadata: { ownerReferences: [{ uid: '1' }] } },
    { metadata: { ownerReferences: [{ uid: '2' }] } },
    { metadata: { ownerReferences: [{ uid: '1' }, { uid: '2' }] } },
  ],
]

for (const [title, kind, target, patch, result] of BUILT_IN)
  test(title, () => assert.equal(strategicPatch(target, patch, mergeTypeOf(kind)), result))

for (const [title, target, patch, result] of CASES)
  test(title, () => {
    const before = JSON.stringify([target, patch])
    assert.is(JSON.stringify(strategicPatch(target, patch, TYPE)), JSON.stringify(result))
    assert.is(JSON.stringify([target, patch]), before, 'neither side is changed')
  })

const REFUSED: readonly (readonly [string, unknown])[] = [
  ['what is no object', [1]],
  ['an element without its key', { containers: [{ image: 'x' }] }],
  ['an element that is no object', { containers: ['x'] }],
  ['an unknown directive', { spec: { $patch: 'explode' } }],
]

for (const [title, patch] of REFUSED)
  test(`${title} is refused with 400`, () => {
    try {
      assert.unreachable(JSON.stringify(strategicPatch({ containers: two }, patch, TYPE)))
    } catch (error) {
      assert.instance(error, StatusError)
      assert.is((error as StatusError).status.code, 400)
    }
  })

test('a member named __proto__ pollutes nothing, whatever directive names it', () => {
  const patch =
    '{"__proto__":{"polluted":1},"$deleteFromPrimitiveList/__proto__":["x"],"$setElementOrder/__proto__":[1]}'
  strategicPatch({}, JSON.parse(patch), TYPE)
  assert.is(({} as { polluted?: number }).polluted, undefined)
})

test.run()
