/**
 * Any sequence of changes, with a controller that is cut off in the middle of what it writes and agents that report when
 * they please, ends in the same instances; no roll takes more down than it may; nothing of others is touched.
 */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { machinesForGlobal } from '../../../../controllers/scheduler/global.ts'
import { isUp } from '../../../../controllers/unit-set/health.ts'
import { type Action, plan } from '../../../../controllers/unit-set/plan.ts'
import type { Machine } from '../../../../crds/machine.ts'
import type { Unit } from '../../../../crds/unit.ts'
import { isGlobal, isParent, parentUid } from '../../../../crds/unit-set.ts'
import { machine, unit } from '../../../support/objects.ts'
import { type Random, seeded } from '../../../support/random.ts'

const test = suite('random changes of a set')
const HISTORIES = 150
const CHANGES = 25
const ROUNDS_TO_SETTLE = 200
const NAME = 'web.service'
const FOREIGN = 'web.2.service'
const MACHINES = ['m1', 'm2', 'm3', '1']
type Spec = Partial<Unit['spec']>

interface World {
  parent: Unit
  readonly units: Map<string, Unit>
  readonly machines: Map<string, Machine>
}

function begin(): World {
  const parent = unit(NAME, { spec: { replicas: 2 }, metadata: { uid: 'p', generation: 1 } })
  return { parent, units: new Map(), machines: new Map(MACHINES.map((name) => [name, machine(name)])) }
}

function planned({ parent, units, machines }: World): Action[] {
  const all = [...units.values()]
  const children = all.filter((each) => parentUid(each) === 'p')
  const present = new Set(children.flatMap(({ spec }) => spec.machineName || []))
  const sight = { parent, machines: [...machines.values()], units: all, present }
  const isEverywhere = isParent(parent) && isGlobal(parent.spec)
  return plan({
    parent,
    children,
    machines: isEverywhere ? machinesForGlobal(sight).machines : [],
    wellForMs: () => 60_000,
    isReachable: (name) => machines.get(name)?.status?.conditions?.[0]?.status === 'True',
    isTaken: (name) => units.has(name) && parentUid(units.get(name) as Unit) !== 'p',
  })
}

/** As the server would: what rolls down is counted before. */
function perform(world: World, action: Action): void {
  const { parent, units } = world
  if (action.do === 'delete') units.delete(action.child.metadata.name)
  else if (action.do === 'create') {
    if (units.has(action.name)) throw new Error(`${action.name} exists`)
    const owner = { apiVersion: 'flotilla.dev/v1', kind: 'Unit', name: NAME, uid: 'p', controller: true }
    const metadata = {
      generation: 1,
      ownerReferences: [owner],
      labels: { ...action.labels },
      annotations: { ...action.annotations },
    }
    units.set(action.name, unit(action.name, { spec: action.spec, metadata }))
  } else if (action.do === 'update') {
    const { name, generation = 0 } = action.child.metadata
    const metadata = { ...action.child.metadata, labels: { ...action.labels }, generation: generation + 1 }
    units.set(name, { ...action.child, metadata, spec: action.spec })
  } else {
    const { counts, condition } = action.report
    const conditions = condition ? [{ ...condition, lastTransitionTime: '' }] : []
    const { generation } = parent.metadata
    world.parent = { ...parent, status: { ...counts, conditions, observedGeneration: generation } }
  }
}

/** The scheduler and the agents: what is bound and reachable runs, unless its content says that it cannot. */
function report({ units, machines }: World, name: string): void {
  const seen = units.get(name)
  if (!seen || parentUid(seen) !== 'p') return
  const machineName = seen.spec.machineName || [...machines.keys()].sort()[0]
  if (machineName === undefined || machines.get(machineName)?.status?.conditions?.[0]?.status !== 'True') return
  const metadata = { ...seen.metadata, generation: (seen.metadata.generation ?? 0) + (seen.spec.machineName ? 0 : 1) }
  const isWell = !seen.spec.content.includes('fail') && seen.spec.desiredState === 'launched'
  const active = { type: 'Active', status: isWell ? 'True' : 'False', reason: isWell ? 'Running' : 'Failed' } as const
  const said = { ...active, message: '', lastTransitionTime: '', observedGeneration: metadata.generation }
  const currentState = seen.spec.desiredState
  const spec = { ...seen.spec, machineName }
  units.set(name, { ...seen, metadata, spec, status: { currentState, machineName, conditions: [said] } })
}

const content = (what: string) => `[Service]\nExecStart=/bin/${what}\n`
const SPECS: readonly Spec[] = [
  { content: content('a') },
  { content: content('b') },
  { content: content('fail') },
  { replicas: 0 },
  { replicas: 3 },
  { replicas: 5 },
  { maxUnavailable: 2 },
  { maxUnavailable: '50%' },
  { desiredState: 'inactive' },
  { desiredState: 'launched' },
  { failover: 'exclusive' },
  { template: { labels: { app: 'web' } } },
]

function change(world: World, random: Random): void {
  const { parent, units, machines } = world
  const edit = (spec: Spec) => {
    const metadata = { ...parent.metadata, generation: (parent.metadata.generation ?? 0) + 1 }
    const next: Unit['spec'] = { ...parent.spec, ...spec }
    if (spec.replicas !== undefined) delete next.placement
    if (spec.placement?.global) delete next.replicas
    world.parent = { ...parent, metadata, spec: next }
  }
  const [name, machineName] = [random.pick([...units.keys(), NAME]), random.pick(MACHINES)]
  const chosen = units.get(name)
  const changes: (() => unknown)[] = [
    () => edit(random.pick(SPECS)),
    () => edit(random.pick(SPECS)),
    () => edit({ placement: { global: true } }),
    () => machines.delete(machineName),
    () => machines.set(machineName, machine(machineName, { ready: random.pick(['True', 'Unknown']) })),
    () => chosen && parentUid(chosen) && units.delete(name),
    () =>
      chosen &&
      parentUid(chosen) &&
      units.set(name, { ...chosen, spec: { ...chosen.spec, content: content('edited') } }),
    () => units.has(FOREIGN) || units.set(FOREIGN, unit(FOREIGN, { spec: { content: content('mine') } })),
  ]
  random.pick(changes)()
}

/** A run that may be cut off, and some agents that report. */
function work(world: World, random: Random): void {
  const foreign = world.units.get(FOREIGN)
  const isForeign = foreign !== undefined && parentUid(foreign) === undefined
  const actions = planned(world)
  checkRoll(world, actions)
  for (const action of actions.slice(0, random.chance(0.3) ? random.below(actions.length + 1) : actions.length))
    perform(world, action)
  if (isForeign) assert.is(world.units.get(FOREIGN), foreign, 'a unit of somebody else was touched')
  for (const name of [...world.units.keys()]) if (random.chance(0.5)) report(world, name)
}

/** What the roll takes down, of what is up and stays, is no more than may be down. */
function checkRoll({ parent }: World, actions: readonly Action[]): void {
  const taken = actions.filter(
    (action) => action.do === 'update' && runs(action.child) && action.spec.content !== action.child.spec.content,
  )
  const { maxUnavailable } = parent.spec
  const most = typeof maxUnavailable === 'number' ? maxUnavailable : maxUnavailable === '50%' ? 2 : 1
  if (parent.spec.desiredState === 'launched') assert.ok(taken.length <= Math.max(1, most), `${taken.length} at once`)
}

function runs(child: Readonly<Unit>): boolean {
  return child.spec.desiredState === 'launched' && isUp(child)
}

function settle(world: World): void {
  for (let round = 0; round < ROUNDS_TO_SETTLE; round++) {
    const actions = planned(world)
    for (const action of actions) perform(world, action)
    const before = [...world.units.values()]
    for (const name of [...world.units.keys()]) report(world, name)
    const isQuiet = before.every((each) => {
      const after = world.units.get(each.metadata.name)
      return after?.metadata.generation === each.metadata.generation
    })
    if (actions.length === 0 && isQuiet && planned(world).length === 0) return
  }
  throw new Error(`does not settle: ${JSON.stringify(planned(world)).slice(0, 500)}`)
}

/** Names and what they run, without where replicas happen to be. */
function picture({ units }: World): string[] {
  const own = [...units.values()].filter((each) => parentUid(each) === 'p')
  const lines = own.map(({ metadata, spec }) =>
    JSON.stringify([
      metadata.name,
      metadata.labels,
      Object.entries({ ...spec, ...(isGlobal(spec) ? {} : { machineName: '' }) }).toSorted(),
    ]),
  )
  return lines.toSorted()
}

test(`${HISTORIES} histories end as if there had been none`, () => {
  for (let seed = 0; seed < HISTORIES; seed++) {
    const random = seeded(seed)
    const world = begin()
    for (let n = 0; n < CHANGES; n++) {
      change(world, random)
      for (let runs = random.below(4); runs > 0; runs--) work(world, random)
    }
    // All machines well and nothing that fails: then only what is asked for counts.
    for (const name of MACHINES) world.machines.set(name, machine(name))
    const { metadata, spec } = world.parent
    const generation = (metadata.generation ?? 0) + 1
    world.parent = {
      ...world.parent,
      metadata: { ...metadata, generation },
      spec: { ...spec, content: content('last') },
    }
    settle(world)
    const fresh: World = { ...begin(), parent: { ...world.parent, status: {} } }
    const foreign = world.units.get(FOREIGN)
    if (foreign && !parentUid(foreign)) fresh.units.set(FOREIGN, foreign)
    settle(fresh)
    assert.equal(picture(world), picture(fresh), `seed ${seed}`)
  }
})

test.run()
