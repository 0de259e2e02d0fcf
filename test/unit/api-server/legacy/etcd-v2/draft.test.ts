import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Draft } from '../../../../../api-server/legacy/etcd-v2/draft.ts'
import type { Node } from '../../../../../api-server/legacy/etcd-v2/node.ts'
import { Tree } from '../../../../../api-server/legacy/etcd-v2/tree.ts'

const test = suite('a draft over the etcd v2 tree')

const dir = (key: string, index = 1): Node => ({
  key,
  value: undefined,
  created: index,
  modified: index,
  expires: undefined,
})
const file = (key: string, index = 1): Node => ({ ...dir(key, index), value: 'v' })

function treeOf(...nodes: Node[]): Tree {
  const tree = new Tree()
  for (const node of nodes) assert.ok(tree.put(node))
  return tree
}

test('what it changes, it alone shows', () => {
  const tree = treeOf(file('/a'))
  const draft = new Draft(tree, 4)
  draft.put(file('/a', 5))
  assert.is(draft.get('/a')?.created, 5)
  assert.is(tree.get('/a')?.created, 1)
})

test('a directory that is cut takes all with it, and may come again', () => {
  const draft = new Draft(treeOf(dir('/a'), dir('/a/b'), file('/a/b/c')), 4)
  draft.put(file('/a/b/d', 5))
  draft.cut('/a')
  for (const key of ['/a', '/a/b', '/a/b/c', '/a/b/d']) assert.is(draft.get(key), undefined)
  draft.put(dir('/a', 7))
  assert.not(draft.hasChildren('/a'))
  assert.is(draft.get('/a/b/c'), undefined)
  draft.put(file('/a/x', 8))
  assert.ok(draft.hasChildren('/a'))
})

test('a directory is empty when the draft has taken its last child', () => {
  const draft = new Draft(treeOf(dir('/a'), file('/a/1'), file('/a/2')), 4)
  draft.cut('/a/1')
  assert.ok(draft.hasChildren('/a'))
  draft.cut('/a/2')
  assert.not(draft.hasChildren('/a'))
})

test('a cut of a neighbour with the same beginning takes nothing', () => {
  const draft = new Draft(treeOf(dir('/a'), file('/ab')), 4)
  draft.put(file('/abc', 5))
  draft.cut('/a')
  assert.ok(draft.get('/ab'))
  assert.ok(draft.get('/abc'))
})

test('what was decided since it was saved can be taken back, and nothing before', () => {
  const draft = new Draft(treeOf(dir('/a'), file('/a/1')), 4)
  draft.put(file('/kept', 5))
  const undo = draft.save()
  draft.put(file('/kept', 6))
  draft.put(file('/new', 6))
  draft.cut('/a')
  undo()
  assert.equal(draft.puts(), [file('/kept', 5)])
  assert.is(draft.get('/new'), undefined)
  assert.ok(draft.get('/a/1'))
  assert.is(draft.index, 4)
})

test.run()
