import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileGlob } from '../../../crds/glob.ts'

const test = suite("Go's path.Match")

/** From Go's own table for path.Match, and names as units have them. */
const ROWS: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
  ['abc', 'abc', true],
  ['*', 'abc', true],
  ['*c', 'abc', true],
  ['a*', 'a', true],
  ['a*', 'ab/c', false],
  ['a*/b', 'abc/b', true],
  ['a*/b', 'a/c/b', false],
  ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
  ['a*b?c*x', 'abxbbxdbxebxczzx', true],
  ['a*b?c*x', 'abxbbxdbxebxczzy', false],
  ['ab[c]', 'abc', true],
  ['ab[b-d]', 'abc', true],
  ['ab[e-g]', 'abc', false],
  ['ab[^c]', 'abc', false],
  ['ab[^e-g]', 'abc', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'ab', false],
  ['a?b', 'a☺b', true],
  ['[a-ζ]*', 'α', true],
  ['a?b', 'a/b', false],
  ['[\\]a]', ']', true],
  ['[x\\-]', '-', true],
  ['[\\-x]', 'a', false],
  ['[]a]', ']', false],
  ['[-]', '-', false],
  ['[x-]', 'x', false],
  ['[a-b-c]', 'a', false],
  ['[', 'a', false],
  ['[^bc', 'a', false],
  ['a[', 'a', false],
  ['*x', 'xxx', true],
  ['web@*.service', 'web@1.service', true],
  ['web@*.service', 'webs@1.service', false],
]

for (const [pattern, name, matches] of ROWS)
  test(`${pattern} ${matches ? 'matches' : 'does not match'} ${name}`, () =>
    assert.is(compileGlob(pattern)(name), matches))

test('a hostile pattern takes no time to notice', () => {
  const before = process.cpuUsage()
  assert.not.ok(compileGlob(`${'*a'.repeat(100)}b`)('a'.repeat(253)))
  assert.ok(process.cpuUsage(before).user < 100_000)
})

test.run()
