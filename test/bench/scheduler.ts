/** The scheduler alone: rounds of units on simulated machines, every round planned over everything there is. */
import { type Action, plan } from '../../controllers/scheduler/plan.ts'
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { machine, unit } from '../support/objects.ts'
import { atLeast, type Question } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'

const MACHINES = 5_000
const UNITS = 100_000
/** As many come at once. */
const BATCH = 5_000
/** Nomad's C1M challenge: a million containers in 266 s. */
const C1M = atLeast(3_750)
const assumed: ReadonlyMap<string, string> = new Map()

type Make = (number: number) => Unit

const KINDS: readonly { readonly who: string; readonly make: Make }[] = [
  { who: 'plain units', make: (n) => unit(`u${n}.service`) },
  { who: 'units with rules', make: withRules },
]

export const scheduler: Question = {
  name: 'scheduler',
  asks: `how many of ${UNITS} units does the scheduler place a second on ${MACHINES} machines, ${BATCH} at a time?`,
  async run({ quick, say }) {
    const units = quick ? 2 * BATCH : UNITS
    const figures = await rounds(quick ? 1 : 3, 0, async (collect) => {
      for (const { who, make } of KINDS) {
        say(`scheduler: ${who}`)
        fill(collect, who, make, units)
      }
    })
    return {
      figures,
      references: [{ what: "Nomad's C1M: 1 000 000 containers in 266 s, 3 750/s", source: 'HashiCorp, 2016' }],
      notes: [
        'the decisions alone: no API, no writes; each round reads all units that are placed already',
        'units with rules: a tenth each with metadata, conflicts, spread over 50 racks, maxPerMachine, requests; the rest plain',
      ],
    }
  },
}

function fill(collect: Collector, who: string, make: Make, total: number): void {
  const machines = Array.from({ length: MACHINES }, (_, n) => simulated(n))
  const placed: Unit[] = []
  let seconds = 0
  for (let first = 0; first < total; first += BATCH) {
    const pending = Array.from({ length: BATCH }, (_, at) => make(first + at))
    const begun = performance.now()
    const actions = plan({ machines, units: [...placed, ...pending], assumed })
    const took = (performance.now() - begun) / 1000
    seconds += took
    const bound = actions.flatMap(afterwards)
    if (bound.length !== BATCH) throw new Error(`${BATCH - bound.length} units of a round fitted nowhere`)
    placed.push(...bound)
    if (first === 0) collect.add(who, `the first ${BATCH}`, '/s', BATCH / took, C1M)
    if (first + BATCH >= total) collect.add(who, `the last ${BATCH}`, '/s', BATCH / took, C1M)
  }
  collect.add(who, `all ${total}`, '/s', total / seconds, C1M)
}

function afterwards(action: Action): Unit[] {
  if (action.do !== 'bind') return []
  return [{ ...action.unit, spec: { ...action.unit.spec, machineName: action.machine } }]
}

function simulated(number: number): Machine {
  const object = machine(`m${number}`)
  const labels = { rack: `r${number % 50}`, disk: number % 2 === 0 ? 'ssd' : 'hdd' }
  const allocatable = { cpu: '32', memory: '64Gi', units: '500' }
  return { ...object, metadata: { ...object.metadata, labels }, status: { ...object.status, allocatable } }
}

function withRules(number: number): Unit {
  const app = Math.floor(number / 100)
  const placement: Readonly<Record<number, NonNullable<Unit['spec']['placement']>>> = {
    0: { machineMetadata: ['disk=ssd'] },
    1: { conflicts: [`a${app}@1*.service`] },
    2: { spread: [{ topologyKey: 'rack', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' }] },
    3: { maxPerMachine: 1 },
  }
  const own = placement[number % 10]
  const resources = number % 10 === 4 ? { resources: { requests: { cpu: '250m', memory: '64Mi' } } } : {}
  return unit(`a${app}@${number}.service`, { spec: { ...(own && { placement: own }), ...resources } })
}
