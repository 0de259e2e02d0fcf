import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createGraph, lean } from '../../../../controllers/garbage-collector/graph.ts'
import type { ApiObject, Metadata } from '../../../../crds/kind.ts'

const test = suite('graph of owners')

const resource = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  scope: 'Namespaced',
  verbs: [],
} as const

function object(name: string, metadata: Partial<Metadata> = {}): ApiObject {
  const own = { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: '1', ...metadata }
  return lean({ apiVersion: 'v1', kind: 'ConfigMap', metadata: own })
}

const owned = (name: string, ...owners: string[]) =>
  object(name, {
    ownerReferences: owners.map((owner) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: owner, uid: `uid-${owner}` })),
  })

function watched() {
  const changed = new Set<string>()
  const doubted = new Set<string>()
  const graph = createGraph({
    changed: (id) => changed.add(id.slice(id.lastIndexOf('/') + 1)),
    doubted: (uid) => doubted.add(uid),
  })
  const take = () => {
    const names = [...changed].sort()
    changed.clear()
    return names
  }
  return { graph, doubted, take }
}

test('of what has no owner nothing is kept', () => {
  const { graph, take } = watched()
  for (let at = 0; at < 100; at++) graph.put(resource, object(`free-${at}`))
  assert.equal([[...graph.items()], take()], [[], []])
})

test('dependents are looked at when their owner goes, and the owner is asked about anew', () => {
  const { graph, doubted, take } = watched()
  graph.put(resource, owned('a', 'owner'))
  assert.equal(take(), ['a'])
  graph.remove(resource, object('owner'))
  assert.equal([take(), [...doubted]], [['a'], ['uid-owner']])
})

test('an end that nobody was told of shows in the next list', () => {
  const { graph, take } = watched()
  graph.replace(resource, [object('owner'), owned('a', 'owner'), owned('b', 'other')])
  take()
  graph.replace(resource, [owned('a', 'owner'), object('other'), owned('b', 'other')])
  assert.equal(take(), ['a'])
})

test('the same name once more is another owner', () => {
  const { graph, take } = watched()
  graph.put(resource, owned('middle', 'top'))
  graph.put(resource, owned('leaf', 'middle'))
  take()
  graph.put(resource, { ...owned('middle', 'top'), metadata: { ...owned('middle', 'top').metadata, uid: 'another' } })
  assert.ok(take().includes('leaf'))
})

test('who waits is looked at with each dependent that goes', () => {
  const { graph, take } = watched()
  const waiting = { deletionTimestamp: '2031-01-01T00:00:00Z', finalizers: ['foregroundDeletion'] }
  graph.put(resource, owned('a', 'owner'))
  take()
  graph.put(resource, object('owner', waiting))
  assert.equal(take(), ['a', 'owner'])
  graph.remove(resource, owned('a', 'owner'))
  assert.equal(take(), ['owner'])
})

test('a change that is not about owners wakes nobody, but its version counts', () => {
  const { graph, take } = watched()
  graph.put(resource, owned('a', 'owner'))
  take()
  graph.put(resource, { ...owned('a', 'owner'), metadata: { ...owned('a', 'owner').metadata, resourceVersion: '7' } })
  assert.equal([take(), [...graph.items()].map(({ version }) => version)], [[], ['7']])
})

test.run()
