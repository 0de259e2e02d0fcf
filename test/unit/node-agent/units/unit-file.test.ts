import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseUnitFile, UnitFileError } from '../../../../node-agent/units/unit-file.ts'

const test = suite('unit files')

test('sections merge, keys repeat, the last value counts', () => {
  const file = parseUnitFile('[Unit]\nA=1\n[Service]\nB=x\n[Unit]\nA=2\n')
  assert.equal(file.sections, ['Unit', 'Service'])
  assert.equal(file.all('Unit', 'A'), ['1', '2'])
  assert.is(file.last('Unit', 'A'), '2')
  assert.is(file.last('Unit', 'None'), undefined)
})

test('an empty assignment forgets the earlier ones', () => {
  const file = parseUnitFile('[S]\nE=a\nE=b\nE=\nE=c\n')
  assert.equal(file.all('S', 'E'), ['c'])
  assert.is(parseUnitFile('[S]\nE=a\nE=\n').last('S', 'E'), undefined)
  assert.is(parseUnitFile('[S]\nE=a\nE=\n').entries.length, 2)
})

test('a backslash joins lines, and comments between them vanish', () => {
  const file = parseUnitFile('[S]\nE=one \\\n# not this\n; nor this\n  two \\\n  three\nF=4\n')
  assert.is(file.last('S', 'E')?.replace(/\s+/g, ' '), 'one two three')
  assert.is(file.last('S', 'F'), '4')
})

test('an escaped backslash at the end joins nothing', () => {
  assert.equal(parseUnitFile('[S]\nE=a\\\\\nF=b\n').last('S', 'F'), 'b')
})

test('blanks around the first equals sign go, others stay', () => {
  assert.is(parseUnitFile('[S]\n  E =  a = b  \r\n').last('S', 'E'), 'a = b')
})

test('lines that systemd ignores are warnings with their numbers', () => {
  const file = parseUnitFile('stray=1\n[S]\nnonsense\n=x\nE=1\n')
  assert.equal(
    file.warnings.map(({ line }) => line),
    [1, 3, 4],
  )
  assert.is(file.last('S', 'E'), '1')
})

test('entries know their lines', () => {
  assert.equal(
    parseUnitFile('# c\n[S]\n\nE=\\\n1\nF=2\n').entries.map(({ key, line }) => [key, line]),
    [
      ['E', 4],
      ['F', 6],
    ],
  )
})

for (const [what, text, line] of [
  ['a broken section header', '[S]\nE=1\n[Service\n', 3],
  ['a NUL byte', '[S]\nE=\0\n', 2],
  ['an endless line', `[S]\nE=${'x'.repeat(70_000)}\n`, 2],
  ['an endless continuation', `[S]\n${'E=xxxxxxxxx\\\n'.repeat(10_000)}`, 2],
  ['a file too large', `[S]\n${'E=1\n'.repeat(300_000)}`, 1],
] as const) {
  test(`${what} is an error with its line`, () => {
    try {
      parseUnitFile(text)
      assert.unreachable()
    } catch (error) {
      assert.instance(error, UnitFileError)
      assert.is((error as UnitFileError).line, line)
    }
  })
}

test.run()
