// deadline: 60 s
/** Drains as users ask for them, over real agents on the process driver: the command, and kubectl. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Event } from '../../crds/core/index.ts'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import { bindKubectl } from '../support/expect-kubectl.ts'
import { kubectls } from '../support/kubectl.ts'
import { until } from '../support/until.ts'
import { startFleet, type TestFleet } from './cli/fleet.ts'
import { runCommand, startCommand } from './cli/run.ts'

const test = suite('drains')
const clients = await kubectls()
const newest = clients.at(-1)
if (!newest) throw new Error('there is no kubectl')
const kubectl = bindKubectl(newest, () => fleet.kubeconfig)
let fleet: TestFleet

test.before(async () => {
  fleet = await startFleet()
  await fleet.startControllers()
  await Promise.all(['m1', 'm2', 'm3'].map((name) => fleet.startMachine(name)))
})
test.after(() => fleet.close())
test.after.each(async () => {
  await runCommand(['uncordon', 'm1', 'm2', 'm3'], fleet)
  const own = (await units()).filter(({ metadata }) => !metadata.ownerReferences?.length)
  await Promise.all(own.map(({ metadata }) => fleet.client.delete(Unit, metadata.name)))
  await until(async () => (await units()).length === 0, { what: 'nothing left', timeoutMs: 10_000 })
})

const content = (xFleet = '') => `[Service]\nExecStart=/bin/sleep infinity\n[X-Fleet]\n${xFleet}\n`
const flotilla = (...args: readonly string[]) => runCommand(args, fleet)
async function units(): Promise<Unit[]> {
  return [...(await fleet.client.list(Unit)).items]
}
const isWell = ({ spec, status }: Unit) =>
  Boolean(spec.machineName) &&
  status?.machineName === spec.machineName &&
  status?.conditions?.find(({ type }) => type === 'Active')?.status === 'True'
async function placeOf(name: string): Promise<string | undefined> {
  return (await fleet.client.get(Unit, name)).spec.machineName
}
/** On m1 first, by a cordon of the others; then all may take units. */
async function startOnM1(names: Readonly<Record<string, Partial<Unit['spec']>>>): Promise<void> {
  await flotilla('cordon', 'm2', 'm3')
  for (const [name, spec] of Object.entries(names))
    await fleet.client.create(Unit, { metadata: { name }, spec: { content: content(), ...spec } })
  const isUp = (unit: Unit) => (unit.spec.replicas ? unit.status?.readyReplicas === unit.spec.replicas : isWell(unit))
  await until(async () => (await units()).every(isUp), {
    what: 'all active',
    timeoutMs: 10_000,
  })
  await flotilla('uncordon', 'm2', 'm3')
}
async function drainedOf(machine: string) {
  return (await fleet.client.get(Machine, machine)).status?.conditions?.find(({ type }) => type === 'Drained')
}

test('flotilla drain moves everything, peers together, and says what stays; uncordon ends it', async () => {
  await startOnM1({
    'web.service': {},
    'log.service': { content: content('MachineOf=web.service') },
    'db.service': { failover: 'none' },
    'api.service': {},
  })
  const { code, stdout } = await flotilla('drain', 'm1', '--timeout', '15s')
  assert.is(code, 0, stdout)
  for (const line of [/^unit\/web\.service left m1/m, /drained: .*staying: db\.service \(its failover is none\)/])
    assert.match(stdout, line)
  await until(async () => (await units()).every(isWell), { what: 'all active elsewhere', timeoutMs: 5_000 })
  const [web, log, db, api] = await Promise.all(['web', 'log', 'db', 'api'].map((name) => placeOf(`${name}.service`)))
  assert.is(web, log)
  assert.equal([web === 'm1', db, api === 'm1'], [false, 'm1', false])
  await until(async () => (await units()).every(({ metadata }) => !metadata.annotations), { what: 'no mark is left' })
  const told = (await fleet.client.list(Event)).items.filter(({ reason }) => reason === 'Drained')
  assert.match(told[0]?.message ?? '', /^taken off m1: m1 is being drained$/)
  assert.match((await flotilla('why', 'machine/m1')).stdout, /is ready, and drained$/m)

  assert.match((await flotilla('uncordon', 'm1')).stdout, /machine\/m1 uncordoned/)
  await until(async () => (await drainedOf('m1')) === undefined, { what: 'the condition to go' })
  assert.is((await fleet.client.get(Machine, 'm1')).spec?.taints?.length ?? 0, 0)
  assert.is(await placeOf('web.service'), web)
})

test('of a set no two instances are ever down', async () => {
  await startOnM1({ 'web@.service': { replicas: 3, maxUnavailable: 1 } })
  let fewest = 3
  const stop = new AbortController()
  const { metadata } = await fleet.client.list(Unit)
  const now = new Map((await units()).map((unit) => [unit.metadata.name, unit]))
  const watching = fleet.client
    .watch(Unit, {
      resourceVersion: metadata.resourceVersion,
      signal: stop.signal,
      onEvent: ({ object }: { readonly object: unknown }) => {
        const unit = object as Unit
        if (unit.metadata?.name) now.set(unit.metadata.name, unit)
        fewest = Math.min(fewest, [...now.values()].filter(isWell).length)
      },
    })
    .catch((error: unknown) => {
      if (!stop.signal.aborted) throw error
    })
  const { code, stdout } = await flotilla('drain', 'm1', '--timeout', '20s', '--parallel', '10', '-o', 'json')
  await until(async () => (await units()).filter(isWell).length === 3, { what: 'all three active' })
  stop.abort()
  await watching
  assert.is(code, 0, stdout)
  const { drained, moved, left } = JSON.parse(stdout)
  assert.equal([drained, Object.keys(moved).length, left], [true, 3, []])
  assert.is(fewest, 2)
})

test('what holds a drain up is said when the time is over, and Ctrl-C says how to end it', async () => {
  await startOnM1({ 'held@.service': { replicas: 1, maxUnavailable: 0 } })
  const late = await flotilla('drain', 'm1', '--timeout', '1s')
  assert.is(late.code, 1)
  assert.match(
    late.stderr,
    /^error: m1 is not drained after 1s: 1 unit to go; waiting: held@1\.service \(held@\.service may have 0 down and has 0\)$/m,
  )
  const running = startCommand(['drain', 'm1'], fleet)
  await running.see(/^waiting: /m)
  const { code, stderr } = await running.interrupt()
  assert.is(code, 130)
  assert.match(stderr, /the drain of m1 goes on; to end it: flotilla uncordon m1/)
})

test('a unit with no other place goes last, waits, and says why', async () => {
  await kubectl('label', 'machine', 'm1', 'disk=ssd')
  await startOnM1({ 'a.service': { placement: { machineMetadata: ['disk=ssd'] } }, 'b.service': {} })
  const { code, stdout } = await flotilla('drain', 'm1', '--timeout', '15s')
  assert.is(code, 0, stdout)
  assert.match(stdout, /^unit\/a\.service left m1, for no machine yet$/m)
  const told = await until(
    async () => {
      const { items } = await fleet.client.list(Event)
      const ours = items.filter(
        ({ reason, involvedObject }) => reason === 'Drained' && /^[ab]\.service$/.test(involvedObject.name ?? ''),
      )
      return ours.length === 2 && ours
    },
    { what: 'two events' },
  )
  const inTime = told.toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
  assert.equal(
    inTime.map(({ involvedObject }) => involvedObject.name),
    ['b.service', 'a.service'],
  )
  const scheduled = await until(
    async () => {
      const { status } = await fleet.client.get(Unit, 'a.service')
      return status?.conditions?.find(({ type, status }) => type === 'Scheduled' && status === 'False')
    },
    { what: 'a.service to say why' },
  )
  assert.match(scheduled.message, /^0 of 3 machines can take it: m1: cordoned/)
  await until(async () => /on no machine: a\.service/.test((await drainedOf('m1'))?.message ?? ''), { what: 'told' })
  await flotilla('uncordon', 'm1')
  await until(async () => isWell(await fleet.client.get(Unit, 'a.service')), { what: 'a.service back' })
})

if (newest.version !== '1.20') {
  test('kubectl drain waits until the units have left, says so of each, and warns of what stays', async () => {
    await startOnM1({
      'web.service': {},
      'log.service': { content: content('MachineOf=web.service') },
      'db.service': { failover: 'none' },
    })
    const trial = await kubectl('drain', 'm1', '--dry-run=server')
    assert.match(trial, /evicting pod flotilla-units\/web\.service \(server dry run\)/)
    const { code, stdout, stderr } = await kubectl.ends('drain', 'm1', '--timeout=20s')
    assert.is(code, 0, stdout + stderr)
    assert.match(stdout, /node\/m1 cordoned[\s\S]*pod\/(web|log)\.service evicted[\s\S]*node\/m1 drained/)
    assert.match(stderr, /Warning: unit\/db\.service stays on m1: its failover is none/)
    const held = (await units()).filter(({ status }) => status?.machineName === 'm1')
    assert.equal(
      held.map(({ metadata }) => metadata.name),
      ['db.service'],
    )
    assert.is(await placeOf('web.service'), await placeOf('log.service'))
    await kubectl('uncordon', 'm1')
    assert.is((await fleet.client.get(Machine, 'm1')).spec?.unschedulable ?? false, false)
  })

  test('kubectl drain moves only what its selector finds', async () => {
    await startOnM1({ 'a.service': {}, 'b.service': {} })
    await kubectl('label', 'unit', 'a.service', 'app=web')
    await kubectl('drain', 'm1', '--pod-selector=app=web', '--timeout=20s')
    assert.equal([(await placeOf('a.service')) === 'm1', await placeOf('b.service')], [false, 'm1'])
  })
}

test('to a client that does not say that it drains nothing of this is visible: an old kubectl cordons, and units stay', async () => {
  const [oldest = newest] = clients
  const old = bindKubectl(oldest, () => fleet.kubeconfig)
  await startOnM1({ 'a.service': {} })
  if (oldest.version === '1.20') assert.match(await old('drain', 'm1'), /node\/m1 drained/)
  assert.is(await old('get', 'pods', '-A', '--field-selector', 'spec.nodeName=m1', '-o', 'name'), '')
  assert.match((await old.ends('get', 'pod', '-n', 'flotilla-units', 'a.service')).stderr, /NotFound/)
  assert.is(await placeOf('a.service'), 'm1')
})

test.run()
