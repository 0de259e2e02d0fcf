import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createQueue } from '../../../../controllers/lib/queue.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'

const test = suite('work queue')
const signal = new AbortController().signal

test('a key added many times while it waits is worked once', async () => {
  const queue = createQueue()
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key)
  assert.is(queue.size, 2)
  assert.equal([await queue.take(signal), await queue.take(signal)], ['a', 'b'])
})

test('a key is never worked twice at once, and one added meanwhile runs again after', async () => {
  const queue = createQueue()
  queue.add('a')
  await queue.take(signal)
  queue.add('a')
  assert.is(queue.size, 0)
  queue.done('a')
  assert.is(await queue.take(signal), 'a')
  queue.done('a')
  assert.is(queue.size, 0)
})

test('the earliest of several delayed adds counts', async () => {
  const clock = createFakeClock()
  const queue = createQueue({ clock })
  queue.add('a', { afterMs: 100 })
  queue.add('a', { afterMs: 20 })
  queue.add('a', { afterMs: 500 })
  await clock.advance(19)
  assert.is(queue.size, 0)
  await clock.advance(1)
  assert.is(queue.size, 1)
  assert.is(clock.pending, 0)
})

test('each failure of a key doubles its own delay until it goes well', () => {
  const queue = createQueue({ clock: createFakeClock(), backoff: { firstMs: 10, maxMs: 35, jitter: 0 } })
  assert.equal([queue.retry('a'), queue.retry('a'), queue.retry('a'), queue.retry('b')], [10, 20, 35, 10])
  queue.forget('a')
  assert.is(queue.retry('a'), 10)
})

test('a waiting worker is woken by an add, and each add wakes only one', async () => {
  const queue = createQueue()
  const taken: (string | undefined)[] = []
  const workers = [1, 2].map(() => queue.take(signal).then((key) => taken.push(key)))
  queue.add('a')
  await workers[0]
  assert.equal(taken, ['a'])
  queue.add('b')
  await Promise.all(workers)
  assert.equal(taken, ['a', 'b'])
})

test('a worker that is stopped gets nothing, and takes nothing away from the others', async () => {
  const queue = createQueue()
  const stop = new AbortController()
  const stopped = queue.take(stop.signal)
  stop.abort()
  assert.is(await stopped, undefined)
  const other = queue.take(signal)
  queue.add('a')
  assert.is(await other, 'a')
})

test('cleared, it holds no timer', () => {
  const clock = createFakeClock()
  const queue = createQueue({ clock })
  queue.add('a', { afterMs: 10 })
  queue.retry('b')
  queue.clear()
  assert.is(clock.pending, 0)
})

test.run()
