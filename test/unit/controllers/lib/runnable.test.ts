import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { aborted } from '../../../../controllers/lib/clock.ts'
import { group, type Runnable } from '../../../../controllers/lib/runnable.ts'

const test = suite('runnable group')

/** Notes when it starts and stops; `stopMs` is how long its stop takes. */
function member(name: string, trace: string[], options: Partial<Runnable> = {}): Runnable {
  return {
    name,
    start: async (signal) => {
      trace.push(`+${name}`)
      await aborted(signal)
      await new Promise((resolve) => setTimeout(resolve, 1))
      trace.push(`-${name}`)
    },
    ...options,
  }
}

test('starts in order, each when the one before is ready, and stops in reverse', async () => {
  const trace: string[] = []
  const stop = new AbortController()
  let cacheReady = (): void => {}
  const ready = new Promise<void>((resolve) => {
    cacheReady = resolve
  })
  const all = group('all', [member('cache', trace, { ready }), member('controller', trace)])
  const running = all.start(stop.signal)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(trace, ['+cache'])
  cacheReady()
  await all.ready
  stop.abort()
  await running
  assert.equal(trace, ['+cache', '+controller', '-controller', '-cache'])
})

test('a member that fails stops the others and its error is thrown', async () => {
  const trace: string[] = []
  const broken: Runnable = { name: 'broken', start: () => Promise.reject(new Error('no disk')) }
  const error = await group('all', [member('a', trace), broken])
    .start(new AbortController().signal)
    .catch((e) => e)
  assert.is(error.message, 'running broken')
  assert.is(error.cause.message, 'no disk')
  assert.equal(trace, ['+a', '-a'])
})

test('a member that ends by itself counts as failed', async () => {
  const done: Runnable = { name: 'done', start: async () => {} }
  const error = await group('all', [done])
    .start(new AbortController().signal)
    .catch((e) => e)
  assert.is(error.message, 'done ended by itself')
})

test('stopped before a member is ready, it starts no more of them', async () => {
  const trace: string[] = []
  const stop = new AbortController()
  const slow = member('slow', trace, { ready: new Promise(() => {}) })
  const running = group('all', [slow, member('next', trace)]).start(stop.signal)
  await new Promise((resolve) => setImmediate(resolve))
  stop.abort()
  await running
  assert.equal(trace, ['+slow', '-slow'])
})

test.run()
