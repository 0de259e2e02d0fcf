/**
 * Whatever the order in which agents stop and start what they are given, and wherever a controller is cut off between its
 * writes: no set has more down than it bears, no more are on their way than the drain says, and in the end the machine is
 * empty, its peers together, and nothing is marked any more.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Action, plan } from '../../../../controllers/drain/plan.ts'
import { isUnderWay, isWell } from '../../../../controllers/drain/sight.ts'
import { MOVED_FROM } from '../../../../crds/drain.ts'
import type { Condition } from '../../../../crds/metadata.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { parentUid } from '../../../../crds/unit-set.ts'
import { machine, unit } from '../../../support/objects.ts'
import { type Random, seeded } from '../../../support/random.ts'

const test = suite('random drains')
const HISTORIES = 150
const MOST_STEPS = 3_000
const TARGETS = ['m2', 'm3']

interface World {
  readonly units: Map<string, Unit>
  readonly parallel: number
  readonly random: Random
}

const activeIs = (isActive: boolean, observedGeneration: number): Condition => ({
  type: 'Active',
  status: isActive ? 'True' : 'False',
  reason: isActive ? 'Running' : 'Stopped',
  ...{ message: '', lastTransitionTime: '', observedGeneration },
})

function runs(name: string, on: string, spec: Partial<Unit['spec']> = {}, parent?: string): Unit {
  const owner = { apiVersion: 'flotilla.dev/v1', kind: 'Unit', name: parent ?? '', uid: parent ?? '', controller: true }
  return unit(name, {
    metadata: { uid: name, generation: 1, ...(parent !== undefined && { ownerReferences: [owner] }) },
    spec: { machineName: on, ...spec },
    status: { machineName: on, conditions: [activeIs(true, 1)] },
  })
}

function begin(random: Random): World {
  const replicas = 2 + random.below(5)
  const set = unit('web@.service', {
    metadata: { uid: 'web@.service', generation: 1 },
    spec: { replicas, maxUnavailable: 1 + random.below(2) },
    status: { observedGeneration: 1 },
  })
  const instances = Array.from({ length: replicas }, (_, at) =>
    runs(`web@${at + 1}.service`, random.pick(['m1', ...TARGETS]), {}, 'web@.service'),
  )
  const pair = [runs('a.service', 'm1'), runs('b.service', 'm1', { placement: { machineOf: ['a.service'] } })]
  const others = Array.from({ length: random.below(4) }, (_, at) => runs(`other${at}.service`, 'm1'))
  const units = new Map([set, ...instances, ...pair, ...others].map((each) => [each.metadata.name, each]))
  return { units, parallel: 1 + random.below(4), random }
}

function planned({ units, parallel }: World): Action[] {
  const taints = [{ key: 'flotilla.dev/drain', effect: 'NoSchedule' as const, value: `${parallel}` }]
  const drained = machine('m1', { spec: { unschedulable: true, taints } })
  return plan({ machines: [drained, ...TARGETS.map((name) => machine(name))], units: [...units.values()], budgets: [] })
}

/** Cut off anywhere: some of the actions are performed, and of the units of one some. */
function control(world: World): void {
  const { random, units } = world
  for (const action of planned(world)) {
    if (random.chance(0.3)) return
    const those = action.do === 'take-off' ? action.units : action.do === 'forget' ? [action.unit] : []
    for (const { metadata, spec, ...rest } of those) {
      if (random.chance(0.2)) break
      const generation = (metadata.generation ?? 0) + 1
      const annotations = { [MOVED_FROM]: 'm1' }
      const { annotations: _, ...bare } = metadata
      const after: Unit =
        action.do === 'take-off'
          ? { ...rest, metadata: { ...metadata, generation, annotations }, spec: { ...spec, machineName: '' } }
          : { ...rest, metadata: bare, spec }
      units.set(metadata.name, after)
    }
  }
}

/** What the scheduler or an agent does next with one unit: placed, given back, claimed, started. */
function serve({ units, random }: World): void {
  const each = random.pick([...units.values()].filter(({ spec }) => spec.replicas === undefined))
  const { metadata, spec, status } = each
  const put = (change: Partial<Unit>) => units.set(metadata.name, { ...each, ...change })
  const generation = metadata.generation ?? 0
  if (!spec.machineName) {
    const leader = units.get(spec.placement?.machineOf?.[0] ?? '')
    const machineName = leader ? leader.spec.machineName || '' : random.pick(TARGETS)
    // The scheduler would not leave a follower where its leader no longer is, nor put it there.
    if (machineName && machineName !== 'm1')
      put({ spec: { ...spec, machineName }, metadata: { ...metadata, generation: generation + 1 } })
  } else if (status?.machineName && status.machineName !== spec.machineName)
    put({ status: { conditions: [activeIs(false, generation)] } })
  else if (!status?.machineName)
    put({ status: { machineName: spec.machineName, conditions: [activeIs(false, generation)] } })
  else put({ status: { machineName: spec.machineName, conditions: [activeIs(true, generation)] } })
}

/** An agent also stops what is placed nowhere. */
function stop({ units, random }: World): void {
  const stopping = [...units.values()].filter(({ spec, status }) => status?.machineName && !spec.machineName)
  if (stopping.length === 0) return
  const each = random.pick(stopping)
  units.set(each.metadata.name, { ...each, status: { conditions: [activeIs(false, each.metadata.generation ?? 0)] } })
}

function check({ units, parallel }: World): void {
  const all = [...units.values()]
  const set = units.get('web@.service')
  const down = all.filter((each) => parentUid(each) === 'web@.service' && !isWell(each)).length
  assert.ok(down <= Number(set?.spec.maxUnavailable), `${down} instances are down`)
  const underWay = all.filter((each) => isUnderWay(each, 'm1'))
  // The pair goes together, also one at a time; cut off in between, the other follows.
  assert.ok(underWay.length <= Math.max(parallel, 2), `${underWay.length} are on their way`)
}

function isOver({ units }: World): boolean {
  return [...units.values()].every(
    (each) => each.spec.replicas !== undefined || (isWell(each) && each.spec.machineName !== 'm1' && !marked(each)),
  )
}

function marked({ metadata }: Unit): boolean {
  return metadata.annotations !== undefined
}

test('no set loses more than it bears, no more are on their way than may be, and every drain ends', () => {
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const world = begin(seeded(seed))
    let steps = 0
    for (; steps < MOST_STEPS && !isOver(world); steps++) {
      if (world.random.chance(0.3)) control(world)
      else if (world.random.chance(0.5)) stop(world)
      else serve(world)
      check(world)
    }
    const left = [...world.units.values()].map(({ metadata, spec }) => `${metadata.name} ${spec.machineName}`)
    assert.ok(isOver(world), `seed ${seed} does not end: ${left}`)
    assert.is(world.units.get('a.service')?.spec.machineName, world.units.get('b.service')?.spec.machineName)
    const report = planned(world).at(-1)
    assert.is(report?.do === 'report' && report.condition?.reason, 'Drained')
  }
})

test.run()
