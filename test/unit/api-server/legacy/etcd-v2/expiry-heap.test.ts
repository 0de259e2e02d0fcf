import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ExpiryHeap } from '../../../../../api-server/legacy/etcd-v2/expiry-heap.ts'
import { seeded } from '../../../../support/random.ts'

const test = suite('what ends when')

test('what is due comes out in order, and the rest stays', () => {
  const heap = new ExpiryHeap()
  const dice = seeded(7)
  const times = Array.from({ length: 500 }, () => dice.below(1_000))
  for (const [at, ms] of times.entries()) heap.push(ms, `/${at}`)
  const due = heap.takeDue(600, 10_000).map(({ atMs }) => atMs)
  const expected = times.filter((ms) => ms <= 600).sort((a, b) => a - b)
  assert.equal(due, expected)
  assert.is(heap.size, times.length - expected.length)
})

test('no more than asked for', () => {
  const heap = new ExpiryHeap()
  for (let at = 0; at < 10; at += 1) heap.push(at, `/${at}`)
  assert.is(heap.takeDue(100, 3).length, 3)
  assert.is(heap.size, 7)
})

test('a sweep forgets what is no more', () => {
  const heap = new ExpiryHeap()
  for (let at = 0; at < 100; at += 1) heap.push(100 - at, '/a')
  heap.sweep(({ atMs }) => atMs === 50)
  assert.equal(heap.takeDue(1_000, 10), [{ atMs: 50, key: '/a' }])
})

test.run()
