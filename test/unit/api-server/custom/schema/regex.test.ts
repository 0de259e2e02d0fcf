import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createMeter } from '../../../../../api-server/custom/schema/meter.ts'
import { compileRegex } from '../../../../../api-server/custom/schema/regex/index.ts'

const test = suite('regular expressions')
const compile = (pattern: string) => compileRegex(pattern, createMeter(1e8))

const MATCHES: readonly (readonly [pattern: string, yes: readonly string[], no: readonly string[]])[] = [
  ['^a$', ['a'], ['ba', 'ab', '', 'a\n']],
  ['a|b', ['xb', 'a'], ['c', '']],
  ['^(?:ab|cd)+$', ['abcd'], ['abc', '']],
  ['^[a-c]{2,3}$', ['ab', 'abc'], ['a', 'abcd']],
  ['^[^a-c]$', ['d', '🚢'], ['a']],
  ['^[]a]$', [']', 'a'], ['b']],
  ['^[a\\-\\]]$', ['-', ']'], ['b']],
  ['^[[:digit:]x]+$', ['1x'], ['y']],
  ['^\\d\\w\\s$', ['1_ '], ['a_ ']],
  ['^\\p{Greek}\\pL\\PL$', ['αa1'], ['aa1']],
  ['^\\x41\\x{1F6A2}\\101$', ['A🚢A'], ['A']],
  ['(?i)ß|straße', ['STRAßE'], ['strasse']],
  ['(?m)^b$', ['a\nb'], ['ab']],
  ['^a.b$', ['a-b'], ['a\nb']],
  ['(?s)^a.b$', ['a\nb'], []],
  ['\\bfoo\\b', ['a foo b'], ['afoo']],
  ['\\Ba', ['ba'], ['a']],
  ['^\\Qa.b*\\E$', ['a.b*'], ['axb']],
  ['(?P<name>a)(?<other>b)', ['ab'], ['a']],
  ['^a{2,}$', ['aaa'], ['a']],
  ['a{', ['a{'], ['a']],
  ['', ['', 'a'], []],
]

for (const [pattern, yes, no] of MATCHES)
  test(`/${pattern}/`, () => {
    const regex = compile(pattern)
    for (const text of yes) assert.ok(regex.test(text), `should match ${JSON.stringify(text)}`)
    for (const text of no) assert.not(regex.test(text), `should not match ${JSON.stringify(text)}`)
  })

const REFUSED = [
  '(?=a)',
  '(?!a)',
  '(?<=a)',
  '(a)\\1',
  'a**',
  'a{2}{3}',
  '*a',
  'a{1001}',
  'a{3,2}',
  '(a',
  'a)',
  '[a',
  '[b-a]',
  '\\',
  '\\y',
  '\\p{Poem}',
  '(?z)a',
  '(((a{100}){100}){100})',
  '(((){1000}){1000}){1000}',
]

for (const pattern of REFUSED)
  test(`refuses /${pattern}/`, () => assert.throws(() => compile(pattern), /^error parsing regexp: /))

test('agrees with JavaScript where both know the language', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\b', 'c?', '(?:)')
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 4 },
      atom,
      fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
      fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(${a}|${b})`),
      fc.tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{1,2}', '*?')).map(([a, times]) => `(?:${a})${times}`),
    ),
  }))
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' '), maxLength: 8 })
  fc.assert(
    fc.property(pattern, text, (source, subject) => compile(source).test(subject) === new RegExp(source).test(subject)),
    { numRuns: 2000 },
  )
})

test('findAll goes left to right and never overlaps', () => {
  assert.equal(compile('[0-9]+').findAll('a12b345', 9), ['12', '345'])
  assert.equal(compile('a+?').findAll('aab', 9), ['a', 'a'])
  assert.equal(compile('(a|ab)(c|bcd)').findAll('abcd', 9), ['abcd'])
  assert.equal(compile('').findAll('ab', 9), ['', '', ''])
  assert.equal(compile('a').findAll('aaa', 2), ['a', 'a'])
})

test.run()
