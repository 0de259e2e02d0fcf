import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runProcess } from '../../support/process.ts'
import { type Requirement, requirement } from '../../support/requirements.ts'
import { REPOSITORY, repositoryOf } from './repository.ts'

const SUPPORT = join(REPOSITORY, 'test/support/requirements.ts')

/** A suite of two tests, one with hooks that would fail, run where no command is on the PATH. */
async function runSuiteNeeding(need: Requirement, ci: 'true' | undefined) {
  const root = repositoryOf({
    'a.test.ts': `import { suiteOf } from '${SUPPORT}'
const test = suiteOf('the suite', { needs: ['${need}'] })
test.before(() => { throw new Error('a hook ran') })
test('one', () => {})
test('two', () => {})
test.run()`,
  })
  const argv = [process.execPath, '--import', 'tsx/esm', 'a.test.ts']
  return await runProcess(argv, { cwd: root, env: { PATH: '/nowhere', CI: ci, NO_COLOR: '1' } })
}

const test = suite('what a suite needs')

test('at home a suite that lacks something is skipped with the reason, hooks and all', async () => {
  const { code, stdout } = await runSuiteNeeding('etcd', undefined)
  assert.match(stdout, 'skip: the suite: etcd: etcd is not installed\n')
  assert.match(stdout, /Total: +0\s+Passed: +0\s+Skipped: +2/)
  assert.is(code, 0)
})

test('with CI=true its tests fail with the reason', async () => {
  const { code, stdout } = await runSuiteNeeding('etcd', 'true')
  assert.match(stdout, 'with CI=true nothing may be skipped, but: etcd: etcd is not installed')
  assert.match(stdout, /Total: +2\s+Passed: +0\s+Skipped: +0/)
  assert.is(code, 1)
})

test('with CI=true only a suite for the newer kubectl may still be skipped', async () => {
  const { code, stdout } = await runSuiteNeeding('kubectl 1.32', 'true')
  assert.match(stdout, /^skip: the suite: kubectl 1\.32: /m)
  assert.is(code, 0)
})

test('what is there has no reason', () => {
  const isRoot = process.getuid?.() === 0
  assert.is(requirement('root'), isRoot ? undefined : 'needs root')
})

test.run()
