import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Change } from '../../../../api-server/registry/change.ts'
import { compileFilter, type Entry } from '../../../../api-server/registry/entry.ts'
import { selectablePaths } from '../../../../api-server/registry/selectors.ts'
import { WatcherIndex } from '../../../../api-server/registry/watcher-index.ts'
import { UNIT } from './with-registry.ts'

const test = suite('watcher index')

const PATHS = selectablePaths(UNIT)

const entry = (machine: string): Entry => ({
  key: '-/a',
  name: 'a',
  namespace: undefined,
  version: 1n,
  bytes: Buffer.from('{"metadata":{"resourceVersion":"1"}}'),
  labels: undefined,
  fields: PATHS.map((path) => (path === 'spec.machineName' ? machine : path === 'metadata.name' ? 'a' : '')),
})

const machine = fc.constantFrom('', 'm1', 'm2', 'm3')
const requirement = fc.record({
  path: fc.constantFrom('spec.machineName', 'metadata.name'),
  value: machine,
  equal: fc.boolean(),
})

test('nobody whom a change concerns is left out, and nobody hears of it twice', async () => {
  const change = fc.tuple(fc.option(machine, { nil: undefined }), fc.option(machine, { nil: undefined }))
  await fc.assert(
    fc.property(
      fc.array(fc.array(requirement, { maxLength: 3 }), { maxLength: 12 }),
      change,
      (selectors, [before, now]) => {
        const index = new WatcherIndex(UNIT)
        const heard = selectors.map(() => 0)
        selectors.forEach((fields, at) => {
          index.add({ deliver: () => heard.splice(at, 1, (heard[at] ?? 0) + 1) }, fields)
        })
        const [was, is] = [before, now].map((name) => (name === undefined ? undefined : entry(name)))
        index.deliver(new Change(2n, is, was))
        selectors.forEach((fields, at) => {
          const filter = compileFilter(UNIT, { fields })
          const concerns = [was, is].some((one) => one !== undefined && (filter?.(one) ?? true))
          if (concerns) assert.is(heard[at], 1)
          assert.ok((heard[at] ?? 0) <= 1)
        })
        assert.is(index.size, selectors.length)
      },
    ),
    { numRuns: 1_000, seed: 7 },
  )
})

test('a change wakes only the watchers of its own machines, however many others there are', () => {
  const index = new WatcherIndex(UNIT)
  const heard: string[] = []
  for (let i = 0; i < 1_000; i++)
    index.add({ deliver: () => heard.push(`m${i}`) }, [{ path: 'spec.machineName', value: `m${i}`, equal: true }])
  index.deliver(new Change(2n, entry('m7'), entry('m3')))
  assert.equal(heard.sort(), ['m3', 'm7'])
})

test('who has left is forgotten, values and all', () => {
  const index = new WatcherIndex(UNIT)
  const heard: string[] = []
  const fields = [{ path: 'spec.machineName', value: 'm1', equal: true }]
  const leave = index.add({ deliver: () => heard.push('first') }, fields)
  leave()
  leave()
  index.add({ deliver: () => heard.push('second') }, fields)
  index.deliver(new Change(2n, entry('m1'), undefined))
  assert.equal(heard, ['second'])
  assert.is(index.size, 1)
})

test.run()
