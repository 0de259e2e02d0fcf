import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  checkOptions,
  hashOf,
  optionsOf,
  textOf,
  type UnitOption,
} from '../../../../../api-server/legacy/fleet-v1/unit-options.ts'
import { seeded } from '../../../../support/random.ts'

const test = suite('unit files as lists of options')

const short = (text: string) => optionsOf(text).map(({ section, name, value }) => `${section}.${name}=${value}`)
const CANONICAL =
  '[Unit]\nDescription=a\nAfter=b\n\n[Service]\nExecStart=/bin/sh -c "x \\\n  y"\n\n[X-Fleet]\nGlobal=true\n'

const TEXTS: readonly (readonly [text: string, options: readonly string[]])[] = [
  ['', []],
  ['garbage', []],
  ['A=1\n[S]\nB=2', ['S.B=2']],
  ['[S]\n# A=1\n;B=2\nC=3', ['S.C=3']],
  ['[S]\n  A  =  1  ', ['S.A=1']],
  ['[S]\nA=b=c', ['S.A=b=c']],
  ['[S]\nA=', ['S.A=']],
  ['[S]\n=1\nB', []],
  ['[S]\nA=1\nA=2', ['S.A=1', 'S.A=2']],
  ['[S]\nA=1 # not a comment', ['S.A=1 # not a comment']],
  ['[S]\r\nA=1\r\n', ['S.A=1']],
  ['[S]\nA=x \\\n  y\nB=1', ['S.A=x \\\n  y', 'S.B=1']],
  ['[S]\nA=x \\\n# y \\\nz\nB=1', ['S.A=x \\\n# y \\\nz', 'S.B=1']],
  ['[S]\nA=x \\\n\nB=1', ['S.A=x \\', 'S.B=1']],
  ['[S]\nA=x \\', ['S.A=x \\']],
  ['[S]\nA=1\n[T]\nB=2\n[S]\nC=3', ['S.A=1', 'T.B=2', 'S.C=3']],
  ['[S] trailing\nA=1', ['S.A=1']],
]

for (const [text, options] of TEXTS)
  test(`${JSON.stringify(text)} has ${options.length} options`, () => assert.equal(short(text), options))

test('a canonical file comes back byte for byte', () => assert.is(textOf(optionsOf(CANONICAL)), CANONICAL))

test('sections that come twice are merged where they are first seen, and the hash is of that', () => {
  const text = textOf(optionsOf('[S]\nA=1\n# why\n[T]\nB=2\n[S]\nC = 3'))
  assert.is(text, '[S]\nA=1\nC=3\n\n[T]\nB=2\n')
  assert.is(hashOf('[Service]\nExecStart=/bin/true\n').length, 40)
  assert.is(hashOf(''), 'da39a3ee5e6b4b0d3255bfef95601890afd80709')
})

const WRONG: readonly (readonly [section: string, name: string, value: string])[] = [
  ['', 'A', '1'],
  ['S]', 'A', '1'],
  ['S\n[T', 'A', '1'],
  ['S', '', '1'],
  ['S', 'A=B', '1'],
  ['S', '#A', '1'],
  ['S', '[A', '1'],
  ['S', 'A\nB', '1'],
  ['S', 'A', '1\nB=2'],
  ['S', 'A', '1 \\\n2\n[T]'],
]

for (const [section, name, value] of WRONG)
  test(`an option that would say more than it does is refused: ${JSON.stringify([section, name, value])}`, () => {
    assert.match(checkOptions([{ section, name, value }]) ?? '', /^invalid option ".*": its? ?|^invalid option/)
  })

const VALUES = ['', '1', 'a b', '"x=y" "z"', 'x \\\n  y', 'x \\\n# y \\\n z', 'ä=ö', '[T]', '%i', 'a\\\\b', '# x']

function randomOptions(seed: number): UnitOption[] {
  const random = seeded(seed)
  const sections = ['Unit', 'Service', 'X-Fleet', 'In stall']
  return Array.from({ length: random.below(12) }, () => ({
    section: random.pick(sections),
    name: random.pick(['A', 'ExecStart', 'X-Y']),
    value: random.pick(VALUES),
  }))
}

test('a thousand random lists come back as they went, grouped by section', () => {
  for (let seed = 0; seed < 1000; seed++) {
    const options = randomOptions(seed)
    assert.is(checkOptions(options), undefined)
    const order = [...new Set(options.map(({ section }) => section))]
    const grouped = order.flatMap((section) => options.filter((option) => option.section === section))
    assert.equal(optionsOf(textOf(options)), grouped, `seed ${seed}`)
    assert.is(textOf(optionsOf(textOf(options))), textOf(options), `seed ${seed}`)
  }
})

test.run()
