import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Entry } from '../../../../api-server/registry/entry.ts'
import { SortedEntries } from '../../../../api-server/registry/sorted-entries.ts'

const test = suite('sorted entries')

const entry = (key: string, version = 1n): Entry => ({
  key,
  name: key,
  namespace: undefined,
  version,
  bytes: Buffer.alloc(0),
  labels: undefined,
  fields: [],
})

const byKey = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

test('it always holds what a plain map holds, in order, from any start and below any prefix', async () => {
  const key = fc
    .tuple(fc.constantFrom('a/', 'b/', '-/'), fc.integer({ min: 0, max: 400 }))
    .map(([ns, n]) => `${ns}${n}`)
  const step = fc.tuple(fc.boolean(), key)
  await fc.assert(
    fc.property(
      fc.array(step, { maxLength: 900, size: 'max' }),
      key,
      fc.constantFrom('', 'a/', 'b/', 'c/'),
      (steps, start, prefix) => {
        const sorted = new SortedEntries()
        const model = new Map<string, Entry>()
        for (const [put, name] of steps)
          if (put) {
            const made = entry(name, BigInt(model.size))
            sorted.set(made)
            model.set(name, made)
          } else {
            sorted.delete(name)
            model.delete(name)
          }
        const expected = [...model.keys()].filter((name) => name >= start && name.startsWith(prefix)).sort(byKey)
        assert.equal(
          [...sorted.from(start, prefix)].map((one) => one.key),
          expected,
        )
        assert.is(sorted.size, model.size)
        for (const [name, made] of model) assert.is(sorted.get(name), made)
      },
    ),
    { numRuns: 200, seed: 6 },
  )
})

test('a hundred thousand entries in any order are set and read in well under a second', () => {
  const sorted = new SortedEntries()
  const start = performance.now()
  for (let i = 0; i < 100_000; i++) sorted.set(entry(`-/${(i * 7_919) % 100_003}`))
  let last = ''
  let count = 0
  for (const { key } of sorted.from('')) {
    assert.ok(key > last)
    last = key
    count++
  }
  assert.is(count, 100_000)
  assert.ok(performance.now() - start < 1_500, `${performance.now() - start} ms`)
})

test.run()
