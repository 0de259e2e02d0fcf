import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DeadlineError, withDeadline } from '../../../../controllers/lib/deadline.ts'

const test = suite('withDeadline')
const never = () => new Promise<never>(() => {})
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

test('gives the result of a call that is in time', async () => {
  assert.is(await withDeadline(undefined, 1_000, async () => 7), 7)
})

test('rejects with DeadlineError even when the call ignores its signal', async () => {
  const error = await rejection(withDeadline(undefined, 5, never))
  assert.instance(error, DeadlineError)
  assert.is((error as DeadlineError).timeoutMs, 5)
})

test('rejects with the reason of the parent, not with what the library makes of it', async () => {
  const parent = new AbortController()
  const call = withDeadline(
    parent.signal,
    1_000,
    (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('socket closed')))),
  )
  parent.abort(new Error('stopping'))
  assert.is(((await rejection(call)) as Error).message, 'stopping')
})

test('does not start a call that is cancelled already', async () => {
  let started = false
  await rejection(
    withDeadline(AbortSignal.abort(), 1_000, async () => {
      started = true
    }),
  )
  assert.is(started, false)
})

test('leaves no listener on the parent', async () => {
  const { signal } = new AbortController()
  let listeners = 0
  const counted = Object.assign(Object.create(signal) as AbortSignal, {
    throwIfAborted: () => {},
    addEventListener: () => listeners++,
    removeEventListener: () => listeners--,
  })
  await withDeadline(counted, 1_000, async () => 1)
  await rejection(withDeadline(counted, 1_000, () => Promise.reject(new Error('no'))))
  assert.is(listeners, 0)
})

test.run()
