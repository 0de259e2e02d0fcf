import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StatusError } from '../../../../api-server/registry/errors.ts'
import { matchesLabels, parseFieldSelector, parseLabelSelector } from '../../../../api-server/registry/selectors.ts'
import { UNIT } from './with-registry.ts'

const test = suite('selectors')

const MATCHES: readonly (readonly [string, Record<string, string>, boolean])[] = [
  ['', {}, true],
  ['  ', {}, true],
  ['a=b', { a: 'b' }, true],
  ['a==b', { a: 'b' }, true],
  [' a = b ', { a: 'b' }, true],
  ['a=b', { a: 'c' }, false],
  ['a=b', {}, false],
  ['a=', { a: '' }, true],
  ['a=', {}, false],
  ['a!=b', { a: 'b' }, false],
  ['a!=b', {}, true],
  ['a', { a: '' }, true],
  ['a', {}, false],
  ['!a', {}, true],
  ['! a', { a: 'x' }, false],
  ['a in (x, y)', { a: 'y' }, true],
  ['a in(x)', { a: 'x' }, true],
  ['a in (x,y)', { a: 'z' }, false],
  ['a notin (x,y)', { a: 'z' }, true],
  ['a notin (x,y)', {}, true],
  ['a notin (x,y)', { a: 'x' }, false],
  ['a in ()', { a: '' }, true],
  ['a in (x,,y)', { a: '' }, true],
  ['in in (in,notin)', { in: 'notin' }, true],
  ['in', { in: '' }, true],
  ['a>3', { a: '4' }, true],
  ['a>3', { a: '3' }, false],
  ['a<3', { a: '-1' }, true],
  ['a<3', { a: 'x' }, false],
  ['a<3', {}, false],
  ['example.com/role=web,tier in (fe),!old', { 'example.com/role': 'web', tier: 'fe' }, true],
  ['example.com/role=web,tier in (fe),!old', { 'example.com/role': 'web', tier: 'fe', old: '' }, false],
  ['toString', {}, false],
  ['constructor!=x', {}, true],
]

for (const [text, labels, expected] of MATCHES)
  test(`"${text}" ${expected ? 'matches' : 'does not match'} ${JSON.stringify(labels)}`, () =>
    assert.is(matchesLabels(parseLabelSelector(text), labels), expected))

const BAD_LABELS = [
  'a=b=c',
  'a in (x',
  'a in x)',
  '(a)',
  'a,,b',
  'a,',
  ',',
  '=b',
  '!',
  'a b',
  'a in (x) y',
  'a>x',
  'a>',
  'é=1',
  'a=b c',
  '-a',
  'a=-',
  `a=${'x'.repeat(64)}`,
  'x'.repeat(20_000),
  'a/b/c',
  'a in (b,(c))',
]

for (const text of BAD_LABELS)
  test(`label selector "${text.slice(0, 30)}" is refused with 400`, () => refused(() => parseLabelSelector(text)))

const FIELDS: readonly (readonly [string, string])[] = [
  ['', ''],
  ['metadata.name=web', 'metadata.name=web'],
  ['metadata.name==web,metadata.namespace!=x', 'metadata.name=web metadata.namespace!=x'],
  ['spec.machineName=', 'spec.machineName='],
  ['metadata.name=a\\,b\\=c\\\\d', 'metadata.name=a,b=c\\d'],
  [',metadata.name=a,', 'metadata.name=a'],
]

for (const [text, parsed] of FIELDS)
  test(`field selector "${text}" is read`, () => {
    const terms = parseFieldSelector(text, UNIT)
    assert.is(terms.map(({ path, equal, value }) => `${path}${equal ? '=' : '!='}${value}`).join(' '), parsed)
  })

const BAD_FIELDS = [
  'metadata.name',
  'spec.replicas=1',
  '=x',
  'metadata.name=a=b',
  'metadata.name=a\\',
  'metadata.name=a\\b',
  'metadata.labels=x',
  '__proto__=1',
  'x'.repeat(20_000),
]

for (const text of BAD_FIELDS)
  test(`field selector "${text.slice(0, 30)}" is refused with 400`, () => refused(() => parseFieldSelector(text, UNIT)))

test('an unsupported field is named in the words kubectl users know', () => {
  try {
    parseFieldSelector('spec.replicas=1', UNIT)
    assert.unreachable()
  } catch (error) {
    assert.is((error as Error).message, 'field label not supported: spec.replicas')
  }
})

test('no text takes long or fails otherwise than with 400', async () => {
  const pieces = fc.constantFrom(
    'a',
    'b',
    '=',
    '!',
    '<',
    '>',
    ',',
    '(',
    ')',
    ' ',
    ' in ',
    ' notin ',
    '\\',
    '/',
    '.',
    '-',
    'metadata.name',
    '\u0000',
    'é',
  )
  const start = performance.now()
  await fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
      for (const parse of [() => parseLabelSelector(parts.join('')), () => parseFieldSelector(parts.join(''), UNIT)])
        try {
          parse()
        } catch (error) {
          assert.is((error as StatusError).status.code, 400)
        }
    }),
    { numRuns: 3_000, seed: 3 },
  )
  assert.ok(performance.now() - start < 3_000)
})

function refused(run: () => unknown): void {
  try {
    assert.unreachable(JSON.stringify(run()))
  } catch (error) {
    assert.instance(error, StatusError)
    assert.is((error as StatusError).status.code, 400)
  }
}

test.run()
