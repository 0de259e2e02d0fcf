import { existsSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { judge, type Verdict } from '../../runner/judge.ts'
import { runFile } from '../../runner/run-file.ts'
import { survivorsOf } from '../../runner/survivors.ts'
import { REPOSITORY, repositoryOf } from './repository.ts'

const HEAD = `import { suite } from 'uvu'\nimport * as assert from 'uvu/assert'\nconst test = suite('s')\n`

async function verdictOn(source: string, { deadlineMs = 20_000, ci = false } = {}): Promise<Verdict> {
  const root = repositoryOf({ 'a.test.ts': HEAD + source })
  const run = await runFile(root, { path: 'a.test.ts', deadlineMs, heavy: false }, new AbortController().signal)
  return judge(run, { ci, allowedToLack: ['kubectl 1.32'] })
}

function assertRefused(verdict: Verdict, problem: RegExp): void {
  assert.is(verdict.failed, 1, verdict.output)
  assert.match(verdict.problems.join('\n'), problem)
}

const test = suite('running one test file')

test('a good file passes with the count of its tests', async () => {
  const verdict = await verdictOn(`test('one', () => {})\ntest('two', () => {})\ntest.run()`)
  assert.equal([verdict.passed, verdict.failed, verdict.skipped, verdict.problems], [2, 0, 0, []], verdict.output)
})

test('a failing test is counted once and shown', async () => {
  const verdict = await verdictOn(`test('one', () => {})\ntest('two', () => assert.is(1, 2))\ntest.run()`)
  assert.equal([verdict.passed, verdict.failed, verdict.problems], [1, 1, []], verdict.output)
  assert.match(verdict.output, '"two"')
})

test('a file that forgot .run() is a failure', async () => {
  assertRefused(await verdictOn(`test('one', () => {})`), /ran no tests|no summary/)
})

test('a file without tests is a failure', async () => {
  assertRefused(await verdictOn('test.run()'), /ran no tests/)
})

test('a file that does not load is a failure', async () => {
  assertRefused(await verdictOn(`import './absent.ts'`), /no summary/)
})

test('an open server after the last test is a failure', async () => {
  const source = `import { createServer } from 'node:net'\ncreateServer().listen(0, '127.0.0.1')\ntest('one', () => {})\ntest.run()`
  assertRefused(await verdictOn(source), /leaks handles/)
})

test('a test that never ends is a failure', async () => {
  assertRefused(await verdictOn(`test('one', () => new Promise(() => {}))\ntest.run()`), /no summary/)
})

test('a test that hangs is killed at its deadline', async () => {
  const source = `test('one', async () => { for (;;) await new Promise((done) => setTimeout(done, 5)) })\ntest.run()`
  assertRefused(await verdictOn(source, { deadlineMs: 1_500 }), /not finished after 1.5 s/)
})

test('a file that burns the CPU for ever is killed at its deadline', async () => {
  assertRefused(await verdictOn(`for (;;);`, { deadlineMs: 1_500 }), /not finished/)
})

test('a rejection after the end is a failure', async () => {
  const source = `test('one', () => { setTimeout(() => Promise.reject(new Error('late')), 50) })\ntest.run()`
  assertRefused(await verdictOn(source), /exit code 1 although no test failed/)
})

test('.run() after an await, which makes uvu run tests twice, is a failure', async () => {
  const source = `test('one', () => {})\ntest.run()\nawait new Promise((done) => setTimeout(done, 50))\nconst late = suite('late')\nlate('two', () => {})\nlate.run()`
  assertRefused(await verdictOn(source), /several summaries/)
})

test('a process left behind is named and killed, even from a session of its own', async () => {
  const source = `import { spawn } from 'node:child_process'\ntest('one', () => { spawn('sleep', ['987'], { detached: true, stdio: 'ignore' }).unref() })\ntest.run()`
  assertRefused(await verdictOn(source), /left behind: process: sleep 987/)
})

test('a deadline also ends what the file has started', async () => {
  const source = `import { spawn } from 'node:child_process'\nconst child = spawn('sleep', ['988'], { detached: true })\nconsole.log('mark', process.env.FLOTILLA_TEST_MARK)\ntest('one', () => new Promise((done) => child.on('exit', done)))\ntest.run()`
  const verdict = await verdictOn(source, { deadlineMs: 1_500 })
  assertRefused(verdict, /not finished/)
  const mark = /mark (\S+)/.exec(verdict.output)?.[1] ?? assert.unreachable('no mark')
  assert.equal(survivorsOf(String(mark)), [])
})

test('a stopped run ends the file', async () => {
  const root = repositoryOf({
    'a.test.ts': `${HEAD}test('one', () => new Promise((done) => setTimeout(done, 60_000)))\ntest.run()`,
  })
  const stop = new AbortController()
  const running = runFile(root, { path: 'a.test.ts', deadlineMs: 20_000, heavy: false }, stop.signal)
  stop.abort()
  const run = await running
  assert.is(run.killed, 'the run was stopped')
})

test('ending a run also ends a run inside it, and its folders go', async () => {
  const inner = repositoryOf({ 'b.test.ts': 'for (;;) await new Promise((done) => setTimeout(done, 5))' })
  const source = `import { runFile } from '${REPOSITORY}/test/runner/run-file.ts'
console.log('mark', process.env.FLOTILLA_TEST_MARK, 'folder', process.env.FLOTILLA_TEST_TMP)
const file = { path: 'b.test.ts', deadlineMs: 20_000, heavy: false }
test('one', async () => { await runFile('${inner}', file, new AbortController().signal) })
test.run()`
  const verdict = await verdictOn(source, { deadlineMs: 2_500 })
  assertRefused(verdict, /not finished/)
  const [, mark = '', folder = ''] = /mark (\S+) folder (\S+)/.exec(verdict.output) ?? []
  assert.equal([mark !== '', survivorsOf(mark), existsSync(folder)], [true, [], false])
})

test('a skip without a printed reason is a failure', async () => {
  assertRefused(
    await verdictOn(`test('one', () => {})\ntest.skip('two', () => {})\ntest.run()`),
    /without a printed reason/,
  )
})

test.run()
