// deadline: 90 s
/** What is kept between rounds answers as what is made anew, whatever happened in between. */
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { setCondition } from '../../../../controllers/lib/conditions.ts'
import { type Action, plan } from '../../../../controllers/scheduler/plan.ts'
import { createPlanner, type Planner } from '../../../../controllers/scheduler/planner.ts'
import type { Machine } from '../../../../crds/machine.ts'
import type { Unit } from '../../../../crds/unit.ts'
import {
  machineArb,
  machineObject,
  NAMES,
  PATTERNS,
  type ProblemMachine,
  type ProblemUnit,
  resolvable,
  unitArb,
  unitObject,
} from './problem.ts'

const test = suite('the world that is kept')
const HISTORIES = 200
const SEED = 19
const MACHINES = ['m0', 'm1', 'm2', 'm3']

type Change = (history: History) => void

/** The cluster as the informers show it, the planner that was fed with it, and the decisions that nobody has written yet. */
interface History {
  readonly planner: Planner
  readonly machines: Map<string, Machine>
  readonly units: Map<string, Unit>
  readonly open: Map<string, Action>
  versions: number
}

function put(history: History, unit: Unit): void {
  const resourceVersion = String(++history.versions)
  const shown = { ...unit, metadata: { ...unit.metadata, resourceVersion } }
  history.units.set(unit.metadata.name, shown)
  history.open.delete(unit.metadata.name)
  history.planner.putUnit(shown)
}

/** Another manager's write: the binding stays unless it is changed on purpose. */
function change(history: History, problem: ProblemUnit, rebinds: boolean): void {
  const before = history.units.get(problem.name)?.spec.machineName ?? ''
  put(history, unitObject(problem, rebinds ? (MACHINES[problem.at ?? -1] ?? '') : before))
}

function carryOut(history: History, action: Action): void {
  const { name } = action.unit.metadata
  const unit = history.units.get(name)
  if (!unit) return
  if (action.do !== 'explain') {
    const machineName = action.do === 'bind' ? action.machine : ''
    put(history, { ...unit, spec: { ...unit.spec, machineName } })
    return
  }
  const [condition] = action.conditions
  if (!condition) return
  put(history, { ...unit, status: { ...unit.status, conditions: setCondition([], condition, new Date(0)) } })
}

type Facts = Omit<ProblemMachine, 'name'>
type Asks = Omit<ProblemUnit, 'name'>

/** Where rules that are about others are asked for by nearly all, and little else keeps units apart. */
interface Emphasis {
  readonly title: string
  readonly machine: fc.Arbitrary<Facts>
  readonly asks: fc.Arbitrary<Asks>
}
const kind = machineArb.map((facts): Facts => ({ ...facts, ready: true, cordoned: false, taint: undefined }))
const undemanding = unitArb.map((asks): Asks => ({ ...asks, machineId: undefined, metadata: [], zones: undefined }))
const counting = undemanding.map(
  (asks): Asks => ({ ...asks, peers: [], conflicts: [], replaces: [], maxSkew: asks.maxSkew ?? 1 }),
)
const following = fc
  .tuple(undemanding, fc.subarray(NAMES, { maxLength: 2 }), fc.subarray(PATTERNS, { maxLength: 2 }))
  .map(
    ([asks, peers, replaces]): Asks =>
      resolvable({ ...asks, peers, replaces, conflicts: [], maxSkew: undefined, maxPerMachine: undefined }),
  )
const EMPHASES: readonly Emphasis[] = [
  { title: 'all rules', machine: machineArb, asks: unitArb },
  { title: 'units that count together', machine: kind, asks: counting },
  { title: 'units that follow and replace each other', machine: kind, asks: following },
]

const name = fc.constantFrom(...NAMES)
const oneOfOpen = fc.nat(5)
const changesOf = ({ machine: machineFacts, asks: unitAsks }: Emphasis): fc.Arbitrary<Change> =>
  fc.oneof(
    fc.tuple(fc.constantFrom(...MACHINES), machineFacts).map(([machine, facts]) => (history: History) => {
      const object = machineObject({ ...facts, name: machine })
      history.machines.set(machine, object)
      history.planner.putMachine(object)
    }),
    fc.constantFrom(...MACHINES).map((machine) => (history: History) => {
      history.machines.delete(machine)
      history.planner.dropMachine(machine)
    }),
    {
      weight: 4,
      arbitrary: fc.tuple(name, unitAsks, fc.nat(2)).map(
        ([unit, asks, n]) =>
          (history: History) =>
            change(history, { ...asks, name: unit }, n === 0),
      ),
    },
    fc
      .tuple(name, fc.constantFrom('inactive', 'loaded', 'launched'))
      .map(([unit, desiredState]) => (history: History) => {
        const object = history.units.get(unit)
        if (object) put(history, { ...object, spec: { ...object.spec, desiredState } })
      }),
    name.map((unit) => (history: History) => {
      const object = history.units.get(unit)
      if (object)
        put(history, { ...object, metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
    }),
    name.map((unit) => (history: History) => {
      history.units.delete(unit)
      history.open.delete(unit)
      history.planner.dropUnit(unit)
    }),
    {
      weight: 4,
      arbitrary: oneOfOpen.map((n) => (history: History) => {
        const action = [...history.open.values()][n]
        if (action) carryOut(history, action)
      }),
    },
    oneOfOpen.map((n) => (history: History) => {
      const unit = [...history.open.keys()][n]
      if (unit === undefined) return
      history.open.delete(unit)
      history.planner.disown(unit)
    }),
  )

function brief(action: Action): string {
  const what = action.do === 'explain' ? action.reason : `${action.machine} ${action.reason}`
  return `${action.do} ${action.unit.metadata.name} ${what}`
}

function target(action: Action): string {
  if (action.do === 'bind') return action.machine
  return action.do === 'unbind' ? '' : (action.unit.spec.machineName ?? '')
}

function planBoth({ planner, machines, units, open }: History): void {
  const [allMachines, allUnits] = [[...machines.values()], [...units.values()]]
  assert.is(planner.drift(allMachines, allUnits), undefined)
  const assumed = new Map([...open].map(([unit, action]) => [unit, target(action)]))
  const anew = plan({ machines: allMachines, units: allUnits, assumed })
  const wasDue = planner.isDue
  const kept = planner.plan()
  assert.equal(kept.map(brief), anew.map(brief))
  assert.ok(wasDue || kept.length === 0, 'there was something to do that the planner was not due for')
  for (const action of kept) open.set(action.unit.metadata.name, action)
}

function check(rounds: readonly (readonly Change[])[]): void {
  const history: History = {
    ...{ planner: createPlanner(), machines: new Map(), units: new Map(), open: new Map(), versions: 0 },
  }
  for (const each of rounds) {
    for (const change of each) change(history)
    planBoth(history)
  }
}

for (const emphasis of EMPHASES)
  test(`${HISTORIES} random histories, ${emphasis.title}: each round decides and says what one over a new world does`, () => {
    const round = fc.array(changesOf(emphasis), { minLength: 1, maxLength: 8 })
    const histories = fc.array(round, { minLength: 2, maxLength: 12 })
    fc.assert(fc.property(histories, check), { numRuns: HISTORIES, seed: SEED, includeErrorInReport: true })
  })

test.run()
