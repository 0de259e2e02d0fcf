/** A taint that is tolerated for some seconds, by the clock of the scheduler. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Action } from '../../../../controllers/scheduler/plan.ts'
import { createPlanner, type Planner } from '../../../../controllers/scheduler/planner.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { machine, unit } from '../../../support/objects.ts'

const test = suite('tolerationSeconds')
const WALL_MS = Date.UTC(2026, 0, 1)
const gpu = { key: 'gpu', effect: 'NoExecute' as const }
const tainted = (name: string, timeAdded?: string) =>
  machine(name, { spec: { taints: [{ ...gpu, ...(timeAdded && { timeAdded }) }] } })
const tolerant = (name: string, seconds: readonly (number | undefined)[], machineName = 'm1'): Unit => {
  const tolerations = seconds.map((each) => ({ key: 'gpu', ...(each !== undefined && { tolerationSeconds: each }) }))
  return unit(name, { spec: { machineName, placement: { tolerations } } })
}
const brief = ({ do: what, unit: { metadata }, ...rest }: Action): string =>
  `${what} ${metadata.name} ${'machine' in rest ? rest.machine : rest.reason}`

function at(planner: Planner, ms: number): string[] {
  planner.setTime(ms, WALL_MS + ms)
  return planner.isDue ? planner.plan().map(brief) : []
}

function begin(...objects: readonly Unit[]): Planner {
  const planner = createPlanner()
  planner.setTime(1_000, WALL_MS + 1_000)
  for (const each of [machine('m1'), machine('m2')]) planner.putMachine(each)
  for (const each of objects) planner.putUnit(each)
  planner.plan()
  return planner
}

test('what tolerates a taint for some seconds leaves when they have passed, not before', () => {
  const planner = begin(tolerant('a.service', [30]), tolerant('b.service', [undefined]))
  planner.putMachine(tainted('m1'))
  assert.equal(at(planner, 2_000), [])
  assert.is(planner.dueAtMs, 31_000)
  assert.equal(at(planner, 30_999), [])
  assert.equal(at(planner, 31_000), ['bind a.service m2'])
  assert.is(planner.dueAtMs, Number.POSITIVE_INFINITY)
})

test('the shortest of several tolerations counts, and none of that many seconds is at once', () => {
  const planner = begin(tolerant('a.service', [undefined, 5]), tolerant('b.service', [0]))
  planner.putMachine(tainted('m1'))
  assert.equal(at(planner, 1_000), ['bind b.service m2'])
  assert.equal(at(planner, 6_000), ['bind a.service m2'])
})

test('a taint that goes in time moves nothing, and one that comes back counts anew', () => {
  const planner = begin(tolerant('a.service', [30]))
  planner.putMachine(tainted('m1'))
  assert.equal(at(planner, 20_000), [])
  planner.putMachine(machine('m1'))
  assert.equal(at(planner, 40_000), [])
  planner.putMachine(tainted('m1'))
  assert.equal(at(planner, 69_999), [])
  assert.equal(at(planner, 70_000), ['bind a.service m2'])
})

test('timeAdded counts where it is given, so that a new leader gives no more time; one in the future counts as now', () => {
  const planner = begin(tolerant('a.service', [30]), tolerant('b.service', [30], 'm2'))
  planner.putMachine(tainted('m1', new Date(WALL_MS - 19_000).toISOString()))
  planner.putMachine(tainted('m2', new Date(WALL_MS + 99_000).toISOString()))
  planner.putMachine(machine('m3'))
  assert.equal(at(planner, 10_999), [])
  assert.equal(at(planner, 11_000), ['bind a.service m3'])
  assert.equal(at(planner, 31_000), ['bind b.service m3'])
})

test('nothing comes to where its seconds have passed, and it is told so', () => {
  const planner = begin()
  planner.dropMachine('m2')
  planner.putMachine(tainted('m1'))
  at(planner, 1_000)
  planner.putUnit(tolerant('a.service', [30], ''))
  assert.equal(at(planner, 1_000), ['bind a.service m1'])
  planner.putUnit(tolerant('b.service', [7], ''))
  assert.equal(at(planner, 9_000), [
    'explain b.service 0 of 1 machines can take it: m1: tainted gpu:NoExecute for longer than the 7 s that it tolerates',
  ])
})

test.run()
