import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { importable } from '../../checks/dependencies.ts'
import { textRules } from '../../checks/text-rules.ts'

function problemsOf(path: string, text: string): readonly string[] {
  return textRules([{ path, text }]).problems
}

const long = 'const a = 1\n'.repeat(251)

const test = suite('text rules')

const refused: readonly [string, string, string][] = [
  ['a test that sleeps', 'test/unit/a.test.ts', 'await delay' + '(5)'],
  ['a test that keeps others from running', 'test/unit/a.test.ts', 'test.only' + "('x', f)"],
  ['unfinished work', 'crds/a.ts', '// TO' + 'DO later'],
  ['a path of one machine', 'crds/a.ts', "const dir = '/wo" + "rk/main'"],
  ['a home of one machine', '.ci/run', 'cp a /ro' + 'ot/.b'],
  ['a registry in the lock file', 'package-lock.json', '"resolved": "htt' + 'ps://r.example/a.tgz"'],
  ['a host in a set-up script', 'bin/a.sh', 'curl htt' + 'ps://example.com'],
  ['a long file', 'crds/a.ts', long],
]
for (const [what, path, text] of refused) {
  test(`${what} is refused`, () => assert.is(problemsOf(path, text).length, 1))
}

const fine: readonly [string, string, string][] = [
  ['a long file with its reason', 'crds/a.ts', `/** Longer than most: one table. */\n${long}`],
  ['network, framework and other words', 'crds/a.ts', "const a = 'x/network/framework/y'"],
  ['loopback in a script', '.ci/run', 'http://127.0.0.1:4001'],
  ['prose about sleeping', 'docs/a.md', 'never await delay' + '(5)'],
]
for (const [what, path, text] of fine) {
  test(`${what} is fine`, () => assert.equal(problemsOf(path, text), []))
}

test('a problem names its line', () => {
  assert.match(problemsOf('crds/a.ts', 'a\nb\n// FIX' + 'ME c\n')[0] ?? '', 'crds/a.ts:3:')
})

test('packages to import: no types, no commands, nothing local, reflect-metadata first', () => {
  const dependencies = { ws: '^8', 'reflect-metadata': '^0.2', stub: 'file:./stub' }
  const names = importable({ dependencies, devDependencies: { uvu: '^0.5', '@types/node': '^20', typescript: '^7' } })
  assert.equal(names, ['reflect-metadata', 'uvu', 'ws'])
})

test.run()
