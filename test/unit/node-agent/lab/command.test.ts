import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { must, run } from '../../../../node-agent/lab/command.ts'
import { inOrder } from '../../../../node-agent/lab/in-order.ts'
import { takeLock, tryLock } from '../../../../node-agent/lab/lock.ts'
import { until } from '../../../support/until.ts'

const test = suite('commands and locks')

async function message(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'it resolved',
    (error: unknown) => (error as Error).message,
  )
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a status other than 0 is a result of run, and an error of must', async () => {
  assert.equal(await run('sh', ['-c', 'cat; echo no >&2; exit 3'], { input: 'in' }), {
    code: 3,
    stdout: 'in',
    stderr: 'no\n',
  })
  assert.is((await run('sh', ['-c', 'kill -9 $$'])).code, 137)
  assert.match(await message(must('sh', ['-c', 'echo why >&2; exit 1'])), /failed \(1\): why/)
  assert.match(await message(run('flotilla-no-such-program', [])), /cannot run flotilla-no-such-program/)
})

test('at its deadline a command is killed with all it started', async () => {
  const started = performance.now()
  const text = await message(run('sh', ['-c', 'sleep 300 & echo $!; wait'], { timeoutMs: 100, what: 'the sleeper' }))
  assert.is(text, 'the sleeper: no end after 100 ms')
  assert.ok(performance.now() - started < 2_000)
})

test('an abort ends it with the reason given', async () => {
  const controller = new AbortController()
  const running = message(run('sleep', ['300'], { signal: controller.signal }))
  controller.abort(new Error('enough'))
  assert.is(await running, 'enough')
  assert.is(await message(run('true', [], { signal: controller.signal })), 'enough')
})

test('output beyond the bound ends it, and is not kept', async () => {
  assert.match(await message(run('yes', [], { maxOutputBytes: 1_000 })), /yes said more than it may/)
  assert.is((await run('sh', ['-c', 'printf %01000d 0'], { maxOutputBytes: 1_000 })).stdout.length, 1_000)
})

test('a command that ends without reading its input is no error', async () => {
  assert.is((await run('true', [], { input: 'x'.repeat(1_000_000) })).code, 0)
})

test('jobs run in the order given, and one that fails does not stop the next', async () => {
  const queue = inOrder()
  const seen: number[] = []
  const first = queue(async () => {
    await new Promise((resolve) => setImmediate(resolve))
    seen.push(1)
    throw new Error('first')
  })
  const second = queue(async () => seen.push(2))
  assert.is(await message(first), 'first')
  await second
  assert.equal(seen, [1, 2])
})

test('a lock has one holder, and passes on when it is released or its holder dies', async () => {
  const name = `test-${process.pid}`
  const lock = await tryLock(name)
  assert.ok(lock)
  assert.is(await tryLock(name), undefined)
  assert.match(await message(takeLock(name, 30)), /not within 30 ms/)
  const next = takeLock(name, 5_000)
  await lock?.release()
  await (await next).release()
  assert.ok(isAlive(process.pid))
  await until(async () => (await tryLock(name))?.release().then(() => true), { what: 'the lock is free' })
})

test.run()
