/** The scheduler alone: one that is kept, fed with what changes as informers feed it, and no API behind it. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { setCondition } from '../../controllers/lib/conditions.ts'
import type { Action } from '../../controllers/scheduler/plan.ts'
import { createPlanner, type Planner } from '../../controllers/scheduler/planner.ts'
import { createRewording } from '../../controllers/scheduler/rewording.ts'
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { machine, unit } from '../support/objects.ts'
import { atLeast, atMost, type Question } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'
import { percentile } from './harness/statistics.ts'

const MACHINES = 5_000
const UNITS = 100_000
/** As many come at once. */
const BATCH = 5_000
const WAITING = 1_000
const EVENTS = 200
/** Nomad's C1M challenge: a million containers in 266 s. */
const C1M = atLeast(3_750)
/** From the event to the decision; the write comes on top. */
const FEW_MS = atMost(5_000)
const FLAT = atLeast(0.8)

type Placement = NonNullable<Unit['spec']['placement']>
type Make = (number: number) => Unit

const KINDS: readonly { readonly who: string; readonly make: Make }[] = [
  { who: 'plain units', make: (n) => unit(`u${n}.service`) },
  { who: 'units with rules', make: withRules },
  {
    who: 'soft spread',
    make: (n) => inApp(n, { spread: [{ topologyKey: 'rack', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway' }] }),
  },
  {
    who: 'preferred',
    make: (n) => inApp(n, { preferred: [{ weight: 10, machineSelector: { matchLabels: { disk: 'ssd' } } }] }),
  },
]

export const scheduler: Question = {
  name: 'scheduler',
  asks: `how many of ${UNITS} units does the scheduler place a second on ${MACHINES} machines, ${BATCH} at a time?`,
  async run({ quick, say }) {
    const units = quick ? 2 * BATCH : UNITS
    const figures = await rounds(1, 0, async (collect) => {
      for (const { who, make } of KINDS) {
        say(`scheduler: ${who}`)
        fill(collect, who, make, units)
      }
    })
    return {
      figures,
      references: [{ what: "Nomad's C1M: 1 000 000 containers in 266 s, 3 750/s", source: 'HashiCorp, 2016' }],
      notes: [
        'the decisions alone, no API and no writes; taking in the units and their bindings is counted, in processor time, for the box is shared',
        'units with rules: a tenth each with metadata, conflicts, spread over 50 racks, maxPerMachine, requests; the rest plain',
        `who waits: ${WAITING} units that fit nowhere, in ten kinds, while others come one by one`,
      ],
    }
  },
}

/** What was left by those before must not be collected at the expense of the next. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

function fill(collect: Collector, who: string, make: Make, total: number): void {
  collectGarbage()
  const planner = createPlanner()
  for (let n = 0; n < MACHINES; n++) planner.putMachine(simulated(n))
  const rates: number[] = []
  for (let first = 0; first < total; first += BATCH) {
    const pending = Array.from({ length: BATCH }, (_, at) => make(first + at))
    const begun = process.cpuUsage()
    for (const each of pending) planner.putUnit(each)
    const actions = planner.plan()
    const bound = actions.flatMap(afterwards)
    for (const each of bound) planner.putUnit(each)
    rates.push(BATCH / cpuSeconds(begun))
    if (bound.length !== BATCH) throw new Error(`${BATCH - bound.length} units of a round fitted nowhere`)
  }
  const [first = 0, last = 0] = [rates[0], rates.at(-1)]
  collect.add(who, `the first ${BATCH}`, '/s', first, C1M)
  collect.add(who, `the last ${BATCH}`, '/s', last, C1M)
  collect.add(who, 'the slowest batch', '/s', Math.min(...rates), C1M)
  collect.add(who, 'the median batch', '/s', percentile(rates, 50), C1M)
  collect.add(who, 'last ÷ first', '×', last / first, FLAT)
  oneByOne(collect, who, planner, 0)
  oneByOne(collect, who, planner, WAITING)
  collect.add(who, 'process, resident', 'MB', process.memoryUsage().rss / 1e6)
}

/** Everything is placed, so many wait, and units come and machines change one at a time. */
function oneByOne(collect: Collector, who: string, planner: Planner, waiting: number): void {
  for (let n = 0; n < waiting; n++) planner.putUnit(hopeless(n))
  for (const each of planner.plan().flatMap(afterwards)) planner.putUnit(each)
  const coming = Array.from({ length: EVENTS }, (_, n) => () => planner.putUnit(unit(`late${waiting}-${n}.service`)))
  collect.add(who, `one more unit, ${waiting} wait: p50`, 'µs', percentile(eachRound(planner, coming), 50), FEW_MS)
  const turning = Array.from({ length: EVENTS }, (_, n) => () => planner.putMachine(simulated(n, 'False')))
  collect.add(who, `a machine turns, ${waiting} wait: p50`, 'µs', percentile(eachRound(planner, turning), 50), FEW_MS)
  for (let n = 0; n < EVENTS; n++) planner.putMachine(simulated(n))
}

/** Microseconds of the processor, by event. */
function eachRound(planner: Planner, events: readonly (() => void)[]): number[] {
  const rewording = createRewording()
  return events.map((happen) => {
    const begun = process.cpuUsage()
    happen()
    rewording.begin(performance.now())
    const actions = planner.plan(rewording.may)
    rewording.end()
    for (const each of actions.flatMap(afterwards)) planner.putUnit(each)
    return cpuSeconds(begun) * 1e6
  })
}

function cpuSeconds(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / 1e6
}

let versions = 1

/** The unit as the informer shows it once the decision is written. */
function afterwards(action: Action): Unit[] {
  const metadata = { ...action.unit.metadata, resourceVersion: String(++versions) }
  if (action.do === 'bind')
    return [{ ...action.unit, metadata, spec: { ...action.unit.spec, machineName: action.machine } }]
  const [condition] = action.do === 'explain' ? action.conditions : []
  if (!condition) return []
  return [{ ...action.unit, metadata, status: { conditions: setCondition([], condition, new Date(0)) } }]
}

function simulated(number: number, ready: 'True' | 'False' = 'True'): Machine {
  const object = machine(`m${number}`, { ready })
  const labels = { rack: `r${number % 50}`, disk: number % 2 === 0 ? 'ssd' : 'hdd' }
  const allocatable = { cpu: '32', memory: '64Gi', units: '500' }
  return { ...object, metadata: { ...object.metadata, labels }, status: { ...object.status, allocatable } }
}

function withRules(number: number): Unit {
  const app = Math.floor(number / 100)
  const placement: Readonly<Record<number, Placement>> = {
    0: { machineMetadata: ['disk=ssd'] },
    1: { conflicts: [`a${app}@1*.service`] },
    2: { spread: [{ topologyKey: 'rack', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' }] },
    3: { maxPerMachine: 1 },
  }
  const own = placement[number % 10]
  const resources = number % 10 === 4 ? { resources: { requests: { cpu: '250m', memory: '64Mi' } } } : {}
  return unit(`a${app}@${number}.service`, { spec: { ...(own && { placement: own }), ...resources } })
}

/** A hundred instances an app. */
function inApp(number: number, placement: Placement): Unit {
  return unit(`a${Math.floor(number / 100)}@${number}.service`, { spec: { placement } })
}

function hopeless(number: number): Unit {
  const kind = number % 10
  if (kind % 2 === 0)
    return unit(`wait${number}.service`, { spec: { placement: { machineMetadata: [`disk=none${kind}`] } } })
  return unit(`wait${number}.service`, { spec: { resources: { requests: { cpu: String(64 + kind) } } } })
}
