import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { directives, filesOf, GROUPS } from '../../runner/groups.ts'
import { runGroup } from '../../runner/run-group.ts'
import { runProcess } from '../../support/process.ts'
import { REPOSITORY, repositoryOf } from './repository.ts'

const GOOD = `import { test } from 'uvu'\ntest('good', () => {})\ntest.run()\n`
const BAD = `import { test } from 'uvu'\ntest('bad', () => { throw new Error('as planned') })\ntest.run()\n`
const SKIPPED = `import { test } from 'uvu'\nconsole.log('skip: x: root: needs root')\ntest.skip('x', () => {})\ntest.run()\n`

async function runIn(root: string, ...args: string[]) {
  const argv = [process.execPath, '--import', 'tsx/esm', join(REPOSITORY, 'test/run.ts'), ...args]
  const run = await runProcess(argv, { cwd: REPOSITORY, env: { FLOTILLA_TEST_ROOT: root, CI: undefined } })
  return { ...run, lastLine: run.stdout.trimEnd().split('\n').at(-1) }
}

const test = suite('the test runner')

test('closes with the counts alone on the very last line', async () => {
  const root = repositoryOf({ 'test/unit/a/good.test.ts': GOOD, 'test/unit/skipped.test.ts': SKIPPED })
  const run = await runIn(root, 'unit')
  assert.is(run.lastLine, '1 passed, 0 failed, 1 skipped')
  assert.match(run.stdout, 'test/unit/skipped.test.ts: 1 tests: x: root: needs root')
  assert.is(run.code, 0, run.stdout)
})

test('a failure anywhere fails the run and shows its output', async () => {
  const root = repositoryOf({ 'test/unit/good.test.ts': GOOD, 'test/integration/bad.test.ts': BAD })
  const run = await runIn(root, 'all')
  assert.is(run.lastLine, '1 passed, 1 failed')
  assert.match(run.stdout, 'as planned')
  assert.is(run.code, 1)
})

test('a filter picks files by a part of their path, and nothing picked is a failure', async () => {
  const root = repositoryOf({ 'test/unit/good.test.ts': GOOD, 'test/unit/bad.test.ts': BAD })
  assert.is((await runIn(root, 'unit', 'unit/good')).lastLine, '1 passed, 0 failed')
  const nothing = await runIn(root, 'unit', 'absent')
  assert.equal([nothing.lastLine, nothing.code], ['0 passed, 1 failed', 1])
})

test('the first line of a file sets its deadline and whether it runs alone', () => {
  const group = GROUPS.integration
  assert.equal(directives('// deadline: 90 s', group), { deadlineMs: 90_000, heavy: false })
  assert.equal(directives('// heavy, deadline: 5 s', group), { deadlineMs: 5_000, heavy: true })
  assert.equal(directives('// heavy', group), { deadlineMs: group.deadlineMs, heavy: true })
  assert.equal(directives("import { suite } from 'uvu' // heavy", group), {
    deadlineMs: group.deadlineMs,
    heavy: false,
  })
})

const quiet = { ci: true, allowedToLack: [], signal: new AbortController().signal, onVerdict: () => undefined }

test('heavy files run alone and last', async () => {
  const root = repositoryOf({
    'test/unit/a-heavy.test.ts': `// heavy\n${GOOD}`,
    'test/unit/b.test.ts': GOOD,
    'test/unit/c.test.ts': GOOD,
  })
  const { verdicts } = await runGroup(GROUPS.unit, filesOf(root, GROUPS.unit), { ...quiet, root })
  assert.is(verdicts.at(-1)?.path, 'test/unit/a-heavy.test.ts')
})

test('with CI=true a group beyond its budget fails, and far beyond it is cut off', async () => {
  const root = repositoryOf({ 'test/unit/a.test.ts': GOOD, 'test/unit/b.test.ts': GOOD })
  const group = { ...GROUPS.unit, lanes: 1, batch: 1, budgetMs: 1 }
  const { verdicts, problems } = await runGroup(group, filesOf(root, group), { ...quiet, root })
  assert.match(problems.join(), 'its budget is 0.0 s')
  assert.match(verdicts[1]?.problems.join() ?? '', 'not started: unit is far beyond its budget')
})

test('files that pass share a process; where one does not, each is judged by itself', async () => {
  const root = repositoryOf({ 'test/unit/a.test.ts': GOOD, 'test/unit/b.test.ts': GOOD })
  const group = { ...GROUPS.unit, lanes: 1 }
  const together = await runGroup(group, filesOf(root, group), { ...quiet, root })
  assert.equal(
    together.verdicts.map(({ path, passed, failed }) => [path, passed, failed]),
    [['test/unit/a.test.ts and 1 more', 2, 0]],
  )
  const broken = repositoryOf({ 'test/unit/a.test.ts': GOOD, 'test/unit/b.test.ts': 'export {}' })
  const apart = await runGroup(group, filesOf(broken, group), { ...quiet, root: broken })
  assert.equal(
    apart.verdicts.map(({ path, failed }) => [path, failed]),
    [
      ['test/unit/a.test.ts', 0],
      ['test/unit/b.test.ts', 1],
    ],
  )
})

test.run()
