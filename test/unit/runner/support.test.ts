import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runProcess, startProcess } from '../../support/process.ts'
import { processLines } from '../../support/process-lines.ts'
import { removeTree, tempDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'
import { within } from '../../support/within.ts'

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => assert.unreachable('it did not reject') as never,
    (error: Error) => error.message,
  )
}

const test = suite('test support')

test('within returns the value in time and names what came too late', async () => {
  assert.is(await within(1_000, Promise.resolve(7), 'a seven'), 7)
  assert.is(await messageOf(within(5, new Promise(() => undefined), 'an answer')), 'an answer: not within 5 ms')
})

test('until returns the first truthy answer; a throw means not yet', async () => {
  let asked = 0
  const answer = await until(
    () => {
      if (++asked < 3) throw new Error('not yet')
      return 'there'
    },
    { what: 'a third question' },
  )
  assert.equal([answer, asked], ['there', 3])
})

test('until names what was awaited and the last answer', async () => {
  const message = await messageOf(until(() => false, { timeoutMs: 5, what: 'the moon' }))
  assert.is(message, 'the moon: not within 5 ms; last: false')
  const hangs = await messageOf(until(() => new Promise<boolean>(() => undefined), { timeoutMs: 5, what: 'the sun' }))
  assert.match(hangs, /^the sun: not within 5 ms/)
})

test('a log of lines hands out past and future lines and refuses waiters at its end', async () => {
  const log = processLines(2)
  for (const line of ['a1', 'b2', 'c3']) log.add(line)
  assert.equal(log.lines, ['b2', 'c3'])
  assert.is((await log.first(/(\d)/g))[1], '2')
  const future = log.first(/^d/)
  const never = messageOf(log.first(/^z/))
  log.add('d4')
  log.end('it ended')
  assert.is((await future)[0], 'd')
  assert.is(await never, 'it ended without a line like /^z/')
})

test('a started process is read by lines and stopped by signal', async () => {
  const process = await startProcess(['sh', '-c', 'echo ready: here; exec sleep 60'])
  assert.is((await process.waitForLine(/^ready: (.+)$/))[1], 'here')
  assert.equal(await process.stop(), { code: null, signal: 'SIGTERM' })
})

test('waiting for a line ends with the process, and shows what it printed', async () => {
  const process = await startProcess(['sh', '-c', 'echo oops >&2; exit 3'])
  const message = await messageOf(process.waitForLine(/^ready/))
  assert.match(message, /exited with 3 without a line like/)
  assert.match(message, 'oops')
})

test('a process that ignores its signal is killed with its group', async () => {
  const process = await startProcess(['sh', '-c', 'trap "" TERM; echo up; sleep 60; sleep 60'])
  await process.waitForLine(/up/)
  assert.match(await messageOf(process.stop('SIGTERM', { timeoutMs: 50 })), 'to stop on SIGTERM')
  assert.is((await process.exited).signal, 'SIGKILL')
})

test('a command that cannot be started rejects', async () => {
  assert.match(await messageOf(startProcess(['/nowhere/at-all'])), 'ENOENT')
})

test('a finished process gives its exit and both outputs', async () => {
  const run = await runProcess(['sh', '-c', 'cat; echo err >&2; exit 4'], { stdin: 'in' })
  assert.equal(run, { code: 4, signal: null, stdout: 'in', stderr: 'err\n' })
})

test('a temporary folder is empty, writable and removable', () => {
  const dir = tempDir()
  writeFileSync(join(dir, 'file'), 'x')
  removeTree(dir)
  assert.not(existsSync(dir))
})

test.run()
