// deadline: 120 s
/**
 * What fleet's users missed, on five real machines: sets that scale and roll, spreading, taints, cordon, room (spec: fleet
 * §11; docs: decisions 0019, 0021). Longer than 250
 * lines, because all of it shares one cluster.
 */
import * as assert from 'uvu/assert'
import { findCondition } from '../../controllers/lib/conditions.ts'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import { contentOf, isActive, type LabFleet, startLabFleet, type Wanted } from '../support/lab-fleet.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'

const ROLL_TIMEOUT_MS = 15_000
const test = suiteOf('sets of units', { needs: ['lab'] })
let lab: LabFleet

test.before(async () => {
  lab = await startLabFleet(5)
  await Promise.all(lab.machines.map((machine, i) => lab.label(machine, `box=${machine}`, `zone=${i < 3 ? 'a' : 'b'}`)))
})
test.after(async () => {
  await lab?.[Symbol.asyncDispose]()
})

const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}@${i + 1}.service`)
const copies = (stem: string, ...machines: readonly string[]) => machines.map((machine) => `${stem}.${machine}.service`)
const sleeping = (seconds: number) => contentOf({ service: [`ExecStart=/bin/sleep ${seconds}`, 'TimeoutStopSec=2'] })
const setOf = (replicas: number, wanted: Wanted = {}): Wanted => ({ ...wanted, spec: { replicas, ...wanted.spec } })

/** Once the set says so of its spec of now. */
function progressing(name: string, reason: string): Promise<Unit> {
  const isSo = ({ status, metadata }: Unit) => {
    const said = findCondition(status?.conditions, 'Progressing')
    return said?.reason === reason && said.observedGeneration === metadata.generation
  }
  return lab.unitWhen(name, isSo, ROLL_TIMEOUT_MS)
}

const change = (name: string, spec: object) =>
  lab.kubectl('patch', 'unit', name, '--type=merge', '-p', JSON.stringify({ spec }))

interface Down {
  readonly fromUs: number
  readonly toUs: number
}

/** When a unit was last down, by the clock that all machines of this box share. */
async function downTime(unit: string, machine: string): Promise<Down> {
  const stamp = (what: string) => lab.on(machine, `systemctl show -P ${what}TimestampMonotonic ${unit}`)
  const [fromUs = 0, toUs = 0] = (await Promise.all(['ActiveExit', 'ActiveEnter'].map(stamp))).map(Number)
  return { fromUs, toUs }
}

async function downTimes(names: readonly string[]): Promise<Down[]> {
  const running = await lab.running()
  return Promise.all(names.map((name) => downTime(name, running[name]?.[0] ?? '')))
}

/** How many were down at once, at most. */
function mostDown(downs: readonly Down[]): number {
  return Math.max(
    ...downs.map(({ fromUs }) => downs.filter((each) => each.fromUs <= fromUs && fromUs < each.toUs).length),
  )
}

const commandsOf = async (names: readonly string[]): Promise<string[]> => {
  const running = await lab.running()
  return Promise.all(
    names.map(async (name) => {
      const script = `tr '\\0' ' ' < /proc/$(systemctl show -P MainPID ${name})/cmdline`
      return (await lab.on(running[name]?.[0] ?? '', script)).trim()
    }),
  )
}

// Sets (issue: templates, replicas, global)

test('a set of five with one a machine runs once on each, and says so in five counts', async () => {
  await lab.apply({
    'web@.service': setOf(5, {
      ...{ service: ['ExecStart=/bin/sleep 1001', 'TimeoutStopSec=2'] },
      placement: { maxPerMachine: 1 },
    }),
  })
  const { status } = await progressing('web@.service', 'Complete')
  assert.equal((await lab.activeOn(...numbered('web', 5))).toSorted(), lab.machines)
  const { desiredReplicas, replicas, activeReplicas, readyReplicas, updatedReplicas } = status ?? {}
  assert.equal([desiredReplicas, replicas, activeReplicas, readyReplicas, updatedReplicas], [5, 5, 5, 5, 5])
})

test('new content goes from one to the next, the lowest first: systemd had never two down', async () => {
  await change('web@.service', { content: sleeping(1002) })
  await progressing('web@.service', 'Complete')
  assert.equal(new Set(await commandsOf(numbered('web', 5))), new Set(['/bin/sleep 1002']))
  const downs = await downTimes(numbered('web', 5))
  assert.equal(
    downs.toSorted((a, b) => a.fromUs - b.fromUs),
    downs,
  )
  assert.is(mostDown(downs), 1)
})

test('maxUnavailable says how many may be down at once', async () => {
  await change('web@.service', { content: sleeping(1003), maxUnavailable: 2 })
  await progressing('web@.service', 'Complete')
  assert.ok(mostDown(await downTimes(numbered('web', 5))) <= 2)
  assert.equal(new Set(await commandsOf(numbered('web', 5))), new Set(['/bin/sleep 1003']))
})

test('maxUnavailable 0 holds a roll until it is raised', async () => {
  const [first = ''] = await lab.activeOn('web@1.service')
  const before = await lab.mainPid('web@1.service', first)
  await change('web@.service', { content: sleeping(1004), maxUnavailable: 0 })
  await progressing('web@.service', 'Held')
  assert.is(await lab.mainPid('web@1.service', first), before)
  await change('web@.service', { maxUnavailable: '60%' })
  await progressing('web@.service', 'Complete')
  assert.equal(new Set(await commandsOf(numbered('web', 5))), new Set(['/bin/sleep 1004']))
})

/** systemd calls a service of the plain type active before it has tried to run its program, and a roll may go on then. */
const BROKEN = ['Type=exec', 'ExecStart=/no/such/program']

test('a roll stops at the first instance that fails, and says which and why; the others go on as they were', async () => {
  await change('web@.service', { content: contentOf({ service: BROKEN }), maxUnavailable: 1 })
  const stopped = await progressing('web@.service', 'InstanceFailed')
  const said = findCondition(stopped.status?.conditions, 'Progressing')?.message ?? ''
  assert.ok(/^web@1\.service: .*1 of 5 have the newest/.test(said), said)
  const running = await lab.running()
  assert.equal(
    numbered('web', 5).filter((name) => running[name] !== undefined),
    numbered('web', 5).slice(1),
  )
  assert.equal(new Set(await commandsOf(numbered('web', 5).slice(1))), new Set(['/bin/sleep 1004']))
})

test('other content lets it go on, and what was down comes first', async () => {
  await change('web@.service', { content: sleeping(1005) })
  await progressing('web@.service', 'Complete')
  assert.equal(new Set(await commandsOf(numbered('web', 5))), new Set(['/bin/sleep 1005']))
})

test('kubectl scale up: what has no machine of its own waits, and says why', async () => {
  await lab.kubectl('scale', 'unit', 'web@.service', '--replicas=6')
  assert.match(await lab.waits('web@6.service'), /0 of 5 machines can take it: m1: has 1 of these already; m2: /)
  assert.match(await lab.why('web@6.service'), /raise maxPerMachine above 1, or add a machine/)
})

test('kubectl scale down takes the highest away, and touches no other', async () => {
  const [machine = ''] = await lab.activeOn('web@1.service')
  const before = await lab.mainPid('web@1.service', machine)
  await lab.kubectl('scale', 'unit', 'web@.service', '--replicas=2')
  await until(async () => (await lab.seen()).length === 2, { what: 'two to be left' })
  assert.equal(Object.keys(await lab.running()).toSorted(), numbered('web', 2))
  assert.is(await lab.mainPid('web@1.service', machine), before)
})

test('an instance deleted by hand comes back', async () => {
  const { uid } = (await lab.product.admin.get(Unit, 'web@2.service')).metadata
  await lab.kubectl('delete', 'unit', 'web@2.service', '--wait=false')
  await lab.unitWhen('web@2.service', (unit) => unit.metadata.uid !== uid && isActive(unit))
  assert.match((await lab.activeOn('web@2.service'))[0] ?? '', /^m\d$/)
})

test('a desired state is for all instances at once', async () => {
  await lab.desire('loaded', 'web@.service')
  const state = ({ status }: Unit) => status?.currentState
  for (const name of numbered('web', 2)) await lab.unitWhen(name, (unit) => state(unit) === 'loaded')
  assert.equal(await lab.running(), {})
})

test('deleting the set takes its instances away', async () => {
  await lab.kubectl('delete', 'unit', 'web@.service')
  await until(async () => (await lab.kubectl('get', 'units', '-o', 'name')) === '', { what: 'no unit' })
  assert.equal(await lab.seen(), [])
})

// Global

test('a Global unit runs on all five, and rolls from one to the next as well', async () => {
  const service = ['ExecStart=/bin/sleep 2001', 'TimeoutStopSec=2']
  await lab.apply({ 'all.service': { service, placement: { global: true } } })
  const names = copies('all', ...lab.machines)
  await progressing('all.service', 'Complete')
  assert.equal((await lab.running())['all.service'], lab.machines)
  await change('all.service', { content: sleeping(2002) })
  await progressing('all.service', 'Complete')
  await Promise.all(names.map((name) => lab.unitWhen(name, isActive)))
  const downs = await Promise.all(lab.machines.map((machine) => downTime('all.service', machine)))
  assert.is(mostDown(downs), 1)
})

test('a Global unit on a cordoned machine stays there', async () => {
  const before = await lab.mainPid('all.service', 'm5')
  await lab.kubectl('cordon', 'm5')
  await lab.apply({ 'all-too.service': { placement: { global: true } } })
  await progressing('all-too.service', 'Complete')
  const running = await lab.running()
  assert.equal([running['all.service'], running['all-too.service']], [lab.machines, ['m1', 'm2', 'm3', 'm4']])
  assert.is(await lab.mainPid('all.service', 'm5'), before)
  await lab.kubectl('uncordon', 'm5')
  await lab.unitWhen('all-too.m5.service', isActive)
  await lab.clear()
})

// Cordon, taints, spreading, room

const taint = (machine: string, effect?: string) =>
  lab.kubectl(
    'patch',
    'machine',
    machine,
    '--type=merge',
    '-p',
    JSON.stringify({ spec: { taints: effect ? [{ key: 'gpu', value: 'yes', effect }] : null } }),
  )
const TOLERANT: Wanted = { placement: { tolerations: [{ key: 'gpu', operator: 'Exists' }] } }
const at = (machine: string, wanted: Wanted = {}): Wanted => ({ ...wanted, xFleet: `MachineMetadata=box=${machine}` })

test('a cordoned machine keeps what it has and gets nothing new; uncordoned, it is used again and nothing moves', async () => {
  await lab.apply({ 'was.service': at('m1') })
  await lab.activeOn('was.service')
  const before = await lab.mainPid('was.service', 'm1')
  await lab.kubectl('cordon', 'm1')
  await lab.apply({ 'pinned.service': at('m1'), 'else.service': {} })
  assert.match(await lab.waits('pinned.service'), /m1: cordoned/)
  assert.match(await lab.why('pinned.service'), /kubectl uncordon m1/)
  assert.is.not((await lab.activeOn('else.service'))[0], 'm1')
  await lab.kubectl('uncordon', 'm1')
  assert.equal(await lab.activeOn('pinned.service', 'was.service'), ['m1', 'm1'])
  assert.is(await lab.mainPid('was.service', 'm1'), before)
})

test('NoSchedule keeps away what comes and does not tolerate it, and leaves what is there', async () => {
  await taint('m1', 'NoSchedule')
  await lab.apply({ 'plain.service': at('m1'), 'tolerant.service': at('m1', TOLERANT) })
  assert.match(await lab.waits('plain.service'), /m1: tainted gpu=yes:NoSchedule/)
  assert.equal(await lab.activeOn('tolerant.service', 'was.service'), ['m1', 'm1'])
})

test('NoExecute takes off what does not tolerate it', async () => {
  await lab.apply({
    'mover.service': { placement: { preferred: [{ weight: 1, machineSelector: { matchLabels: { box: 'm2' } } }] } },
  })
  assert.equal(await lab.activeOn('mover.service'), ['m2'])
  await taint('m1', 'NoExecute')
  await taint('m2', 'NoExecute')
  await lab.unitWhen('mover.service', (unit) => unit.spec.machineName !== 'm2' && isActive(unit))
  assert.match(await lab.waits('was.service'), /m1: tainted gpu=yes:NoExecute/)
  await until(async () => (await lab.running())['was.service'] === undefined, { what: 'was.service to stop' })
  assert.equal(await lab.activeOn('tolerant.service'), ['m1'])
})

test('PreferNoSchedule is avoided while there is another machine', async () => {
  await taint('m1')
  await taint('m2')
  for (const machine of ['m1', 'm2', 'm3', 'm4']) await taint(machine, 'PreferNoSchedule')
  await lab.apply({ 'shy@1.service': {}, 'shy@2.service': {}, 'shy@3.service': {}, 'brave.service': at('m1') })
  assert.equal(await lab.activeOn(...numbered('shy', 3), 'brave.service'), ['m5', 'm5', 'm5', 'm1'])
  for (const machine of ['m1', 'm2', 'm3', 'm4']) await taint(machine)
  await lab.clear()
})

test('spread: zones stay even, although they have different numbers of machines', async () => {
  const placement = { spread: [{ topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' as const }] }
  await lab.apply({ 'even@.service': setOf(6, { placement }) })
  await progressing('even@.service', 'Complete')
  const machines = await lab.activeOn(...numbered('even', 6))
  assert.is(machines.filter((machine) => machine === 'm4' || machine === 'm5').length, 3, machines.join())
})

test('spread: what could only be uneven waits, and with ScheduleAnyway it does not', async () => {
  const spread = (whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway') => ({
    placement: { spread: [{ topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable }] },
  })
  await lab.apply({
    'guard-4.service': { xFleet: ['MachineMetadata=box=m4', 'Conflicts=hard@* soft@*'] },
    'guard-5.service': { xFleet: ['MachineMetadata=box=m5', 'Conflicts=hard@* soft@*'] },
  })
  await lab.activeOn('guard-4.service', 'guard-5.service')
  await lab.apply({ 'hard@1.service': spread('DoNotSchedule'), 'soft@1.service': spread('ScheduleAnyway') })
  await lab.activeOn('hard@1.service', 'soft@1.service')
  await lab.apply({ 'hard@2.service': spread('DoNotSchedule'), 'soft@2.service': spread('ScheduleAnyway') })
  assert.match((await lab.activeOn('soft@2.service'))[0] ?? '', /^m[123]$/)
  assert.match(await lab.waits('hard@2.service'), /m1: zone=a would have more than 1 above the fewest/)
  await lab.kubectl('delete', 'unit', 'guard-4.service')
  assert.equal(await lab.activeOn('hard@2.service'), ['m4'])
  await lab.clear()
})

test('countBy: units with the same label count together, whatever they are called', async () => {
  const wanted = { labels: { team: 'blue' }, placement: { maxPerMachine: 1, countBy: 'team' } }
  const names = ['ant', 'bee', 'cat', 'dog', 'elk', 'fox'].map((name) => `${name}.service`)
  await lab.apply(Object.fromEntries(names.slice(0, 5).map((name) => [name, wanted])))
  assert.equal((await lab.activeOn(...names.slice(0, 5))).toSorted(), lab.machines)
  await lab.apply({ 'fox.service': wanted })
  assert.match(await lab.waits('fox.service'), /m1: has 1 of these already/)
  await lab.clear()
})

test('requests: no machine is promised more than it has, and what does not fit says how much is free', async () => {
  const { status } = await lab.product.admin.get(Machine, 'm1')
  const kibibytes = Math.floor((Number(/^\d+/.exec(String(status?.allocatable?.memory))?.[0]) * 6) / 10)
  const unit = /[A-Za-z]*$/.exec(String(status?.allocatable?.memory))?.[0] ?? ''
  const spec = { resources: { requests: { memory: `${kibibytes}${unit}` } } }
  await lab.apply(Object.fromEntries(numbered('big', 5).map((name) => [name, { spec }])))
  assert.equal((await lab.activeOn(...numbered('big', 5))).toSorted(), lab.machines)
  await lab.apply({ 'big@6.service': { spec }, 'small.service': {} })
  assert.match(await lab.waits('big@6.service'), /m1: has not enough memory for/)
  assert.match(await lab.why('big@6.service'), /free\)/)
  await lab.activeOn('small.service')
})

test('and comes when there is room', async () => {
  const freed = (await lab.product.admin.get(Unit, 'big@3.service')).spec.machineName
  await lab.kubectl('delete', 'unit', 'big@3.service')
  assert.equal(await lab.activeOn('big@6.service'), [freed])
})

test('list-units and systemd agree on every unit of every machine', async () => {
  assert.equal(await lab.disagreements(), [])
})

test.run()
