/** The machine that is found without looking at all of them is the one that looking at all of them would find. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { plan } from '../../../../controllers/scheduler/plan.ts'
import type { Machine } from '../../../../crds/machine.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { machine, unit } from '../../../support/objects.ts'

const test = suite('the best machine')
const RUNS = 1_000
const SEED = 23

interface Place {
  readonly name: string
  readonly zone: string | undefined
  readonly rack: string
  readonly disliked: boolean
}
interface Wish {
  readonly soft: readonly ('zone' | 'rack')[]
  readonly prefersX: boolean
  readonly cpu: number | undefined
}

const placeArb = fc.record({
  zone: fc.option(fc.constantFrom('x', 'y', 'z'), { nil: undefined, freq: 8 }),
  rack: fc.constantFrom('r1', 'r2', 'r3', 'r4'),
  disliked: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
})
const places = fc
  .array(placeArb, { minLength: 1, maxLength: 12 })
  .map((all) => all.map((each, n): Place => ({ ...each, name: `m${10 + n}` })))
const wishes = fc.array(
  fc.record({
    soft: fc.subarray<'zone' | 'rack'>(['zone', 'rack']),
    prefersX: fc.boolean(),
    cpu: fc.option(fc.constantFrom(1, 3), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 30 },
)

function machineOf({ name, zone, rack, disliked }: Place): Machine {
  const object = machine(name, disliked ? { spec: { taints: [{ key: 'old', effect: 'PreferNoSchedule' }] } } : {})
  const labels = { rack, ...(zone && { zone }) }
  return {
    ...object,
    metadata: { ...object.metadata, labels },
    status: { ...object.status, allocatable: { cpu: '64' } },
  }
}

function unitOf({ soft, prefersX, cpu }: Wish, number: number): Unit {
  const preferred = [{ weight: 5, machineSelector: { matchLabels: { zone: 'x' } } }]
  const placement = {
    spread: soft.map((topologyKey) => ({ topologyKey, maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' as const })),
    ...(prefersX && { preferred }),
  }
  const requests = cpu === undefined ? {} : { resources: { requests: { cpu } } }
  return unit(`w@${100 + number}.service`, { spec: { placement, ...requests } })
}

/** All of them in a row, each where every cost of every machine, one after the other, says. */
function expected(hosts: readonly Place[], all: readonly Wish[]): string[] {
  const there = new Map(hosts.map(({ name }) => [name, { count: 0, cpu: 0 }]))
  const spreadOver = { zone: new Map<string, number>(), rack: new Map<string, number>() }
  return all.map(({ soft, prefersX, cpu = 0 }) => {
    const costs = hosts.map((host) => {
      const { count, cpu: used } = there.get(host.name) ?? { count: 0, cpu: 0 }
      const spread = soft.map((key) => (host[key] === undefined ? 1e9 : (spreadOver[key].get(host[key]) ?? 0) + 1))
      const even = spread.reduce((sum, each) => sum + each, 0)
      const share = cpu === 0 ? 0 : (used + cpu) / 64
      return { host, row: [host.disliked ? 1 : 0, prefersX && host.zone === 'x' ? -5 : 0, even, share, count] }
    })
    const [first] = costs.sort((a, b) => compare(a.row, b.row) || (a.host.name < b.host.name ? -1 : 1))
    if (!first) throw new Error('there is no machine')
    const books = there.get(first.host.name) ?? { count: 0, cpu: 0 }
    there.set(first.host.name, { count: books.count + 1, cpu: books.cpu + cpu })
    for (const key of ['zone', 'rack'] as const) {
      const value = first.host[key] ?? ''
      spreadOver[key].set(value, (spreadOver[key].get(value) ?? 0) + 1)
    }
    return first.host.name
  })
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [at, cost] of a.entries()) if (cost !== b[at]) return cost - (b[at] ?? 0)
  return 0
}

test(`${RUNS} random rows of units with soft spread, preferences and requests go where a full look would put them`, () => {
  const check = (hosts: readonly Place[], all: readonly Wish[]): void => {
    const observed = { machines: hosts.map(machineOf), units: all.map(unitOf), assumed: new Map<string, string>() }
    const found = plan(observed).map((action) => (action.do === 'bind' ? action.machine : action.reason))
    assert.equal(found, expected(hosts, all))
  }
  fc.assert(fc.property(places, wishes, check), { numRuns: RUNS, seed: SEED, includeErrorInReport: true })
})

test('nor does it make a difference that too many have to be passed over', () => {
  // 600 machines of one zone are empty; those of the other are not, and evenness counts for more.
  const hosts = Array.from({ length: 900 }, (_, n) => {
    const object = machine(`m${1000 + n}`)
    return { ...object, metadata: { ...object.metadata, labels: { zone: n < 600 ? 'x' : 'y' } } }
  })
  const loads = hosts
    .slice(600)
    .map(({ metadata }, n) => unit(`load${n}.service`, { spec: { machineName: metadata.name } }))
  const spread = [{ topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' as const }]
  const units = [1, 2].map((n) => unit(`w@${n}.service`, { spec: { placement: { spread } } }))
  const found = plan({ machines: hosts, units: [...loads, ...units], assumed: new Map() })
  assert.equal(
    found.map((action) => action.do === 'bind' && action.machine),
    ['m1000', 'm1600'],
  )
})

test.run()
