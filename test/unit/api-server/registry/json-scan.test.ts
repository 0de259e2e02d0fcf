import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MAX_DEPTH, MAX_VALUES, scanJson } from '../../../../api-server/registry/json-scan.ts'

const test = suite('JSON scan')

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ['{}', []],
  ['{"a":1,"b":1}', []],
  ['{"a":1,"a":2}', ['a']],
  ['{"a":1,"a":2,"a":3}', ['a', 'a']],
  ['{"a":{"b":1,"b":2}}', ['a.b']],
  ['{"a":[{"b":1},{"b":1,"b":2}]}', ['a[1].b']],
  ['[{"a":1},{"a":1},[1,{"x":1,"x":1}]]', ['[2][1].x']],
  ['{"a":"\\"a\\":1,\\"a\\":2"}', []],
  ['{"a\\"b":1,"a\\"b":2}', ['a"b']],
  ['{"\\u0061":1,"a":2}', ['a']],
  ['{"a\\\\":1,"a":2}', []],
  ['{"a":"x\\\\","a":1}', ['a']],
  [' { "a" : 1 , "a" : [ ] } ', ['a']],
  ['{"__proto__":1,"__proto__":2,"constructor":1}', ['__proto__']],
  ['"a"', []],
]

for (const [text, duplicates] of CASES)
  test(`${text} has ${duplicates.length === 0 ? 'no duplicates' : duplicates.join(' and ')}`, () =>
    assert.equal(scanJson(text).duplicates, duplicates))

/** A value, and how often each path stands in it; the text is written by hand so that fields can repeat. */
interface Written {
  readonly text: string
  readonly paths: readonly string[]
}

const key = fc.constantFrom('a', 'b', 'c"', 'd\\', 'é', '', '{', '[0]')

const { written } = fc.letrec<{ written: (path: string) => Written }>((tie) => ({
  written: fc.oneof(
    { maxDepth: 4 },
    fc.jsonValue({ maxDepth: 0 }).map((value) => () => ({ text: JSON.stringify(value), paths: [] })),
    fc.array(tie('written'), { maxLength: 4 }).map(
      (items) => (path: string) =>
        joined(
          '[',
          ']',
          items.map((item, at) => item(`${path}[${at}]`)),
        ),
    ),
    fc.array(fc.tuple(key, tie('written')), { maxLength: 5 }).map((fields) => (path: string) => object(path, fields)),
  ),
}))

function object(path: string, fields: readonly (readonly [string, (path: string) => Written])[]): Written {
  const seen = new Set<string>()
  return joined(
    '{',
    '}',
    fields.map(([name, value]) => {
      const inner = path === '' ? name : `${path}.${name}`
      const { text, paths } = value(inner)
      const again = seen.has(name)
      seen.add(name)
      return { text: `${JSON.stringify(name)}: ${text}`, paths: [...(again ? [inner] : []), ...paths] }
    }),
  )
}

function joined(open: string, close: string, parts: readonly Written[]): Written {
  return { text: open + parts.map(({ text }) => text).join(' ,') + close, paths: parts.flatMap(({ paths }) => paths) }
}

test('duplicates are found exactly, each under its path', async () => {
  await fc.assert(
    fc.property(written, (make) => {
      const { text, paths } = make('')
      JSON.parse(text)
      assert.equal(scanJson(text).duplicates, paths.slice(0, 100))
    }),
    { numRuns: 2_000, seed: 4 },
  )
})

test('nesting is allowed up to the limit and not beyond', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  assert.is(scanJson(nested(MAX_DEPTH)).tooDeep, false)
  assert.is(scanJson(nested(MAX_DEPTH + 1)).tooDeep, true)
  assert.is(scanJson(`${'{"a":'.repeat(MAX_DEPTH + 1)}1${'}'.repeat(MAX_DEPTH + 1)}`).tooDeep, true)
  assert.is(scanJson(`[${'[],'.repeat(10_000)}1]`).tooDeep, false)
})

test('values are allowed up to the limit and not beyond', () => {
  assert.is(scanJson(`[${'1,'.repeat(MAX_VALUES - 1)}1]`).tooMany, false)
  assert.is(scanJson(`[${'1,'.repeat(MAX_VALUES)}1]`).tooMany, true)
})

test('three megabytes of anything are read in well under half a second', () => {
  const texts = [
    '['.repeat(1_500_000) + ']'.repeat(1_500_000),
    `{${Array.from({ length: 200_000 }, (_, at) => `"key${at}":${at}`).join(',')}}`,
    JSON.stringify('\\'.repeat(1_400_000)),
    `[${'{"a":1,"a":1},'.repeat(200_000)}1]`,
  ]
  for (const text of texts) {
    const start = performance.now()
    scanJson(text)
    assert.ok(performance.now() - start < 500, `${text.slice(0, 10)} took ${performance.now() - start} ms`)
  }
})

test.run()
