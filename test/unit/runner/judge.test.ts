import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { judge } from '../../runner/judge.ts'
import type { FileRun } from '../../runner/run-file.ts'

const CI = { ci: true, allowedToLack: ['kubectl 1.32'] }
const AT_HOME = { ...CI, ci: false }

function ran(output: string, more: Partial<FileRun> = {}): FileRun {
  return { path: 'a.test.ts', durationMs: 1, output, code: 0, signal: null, killed: undefined, leftBehind: [], ...more }
}

function summary(total: number, passed: number, skipped: number): string {
  return `\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1.00ms\n\n`
}

const test = suite('judging a test file')

test('a skipped suite with its reason passes at home', () => {
  const verdict = judge(ran(`skip: lab: root: needs root\n${summary(0, 0, 3)}`), AT_HOME)
  assert.equal([verdict.failed, verdict.skipped, verdict.skipReasons], [0, 3, ['lab: root: needs root']])
})

test('with CI=true a skip fails', () => {
  const verdict = judge(ran(`skip: lab: root: needs root\n${summary(0, 0, 3)}`), CI)
  assert.is(verdict.failed, 1)
  assert.match(verdict.problems[0] ?? '', 'nothing may be skipped')
})

test('with CI=true only the named allowance may be skipped', () => {
  const verdict = judge(ran(`skip: clients: kubectl 1.32: none\n${summary(2, 2, 3)}`), CI)
  assert.equal([verdict.passed, verdict.failed, verdict.skipped], [2, 0, 3])
})

test('colours in the summary do not matter', () => {
  const verdict = judge(ran(`\u001b[32m${summary(2, 2, 0)}\u001b[39m`), CI)
  assert.equal([verdict.passed, verdict.failed], [2, 0])
})

test('failed tests and what was left behind are both told', () => {
  const verdict = judge(ran(summary(5, 3, 0), { code: 1, leftBehind: ['process: sleep 9'] }), CI)
  assert.equal([verdict.passed, verdict.failed, verdict.problems], [3, 2, ['left behind: process: sleep 9']])
})

test('a file ended by a signal fails even after a green summary', () => {
  const verdict = judge(ran(summary(1, 1, 0), { code: null, signal: 'SIGSEGV' }), CI)
  assert.equal([verdict.failed, verdict.problems], [1, ['was ended by SIGSEGV']])
})

test.run()
