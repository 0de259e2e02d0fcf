import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseUnit, parseUnitFile, UnitFileError } from '../../../../node-agent/units/unit-file.ts'

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

test('drop-ins come after the file: lists go on or begin anew, and of single values the last counts', () => {
  const unit = parseUnit({
    content: '[S]\nE=a\nL=1',
    dropIns: [
      { name: '10.conf', content: '[S]\nE=b\nL=2' },
      { name: '20.conf', content: '[S]\nL=\nL=3\n[T]\nE=t' },
    ],
  })
  assert.equal([unit.all('S', 'E'), unit.all('S', 'L'), unit.last('T', 'E')], [['a', 'b'], ['3'], 't'])
})

test('neither a section nor an open line reaches from one text into the next', () => {
  const unit = parseUnit({ content: '[S]\nE=a \\', dropIns: [{ name: '10.conf', content: 'F=stray\n[S]\nG=1' }] })
  assert.equal([unit.last('S', 'E'), unit.last('S', 'F'), unit.last('S', 'G')], ['a', undefined, '1'])
  assert.match(unit.warnings[0]?.message ?? '', 'outside of a section')
})

test('a drop-in that cannot be read is named', () => {
  const read = () => parseUnit({ content: '[S]\nE=a', dropIns: [{ name: '10.conf', content: '[S\nE=b' }] })
  assert.throws(
    read,
    (error: unknown) => error instanceof UnitFileError && /^drop-in 10\.conf, line 1: /.test(error.message),
  )
})

test.run()
