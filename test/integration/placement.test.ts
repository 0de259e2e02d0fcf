// deadline: 60 s
/** Placement as users meet it: kubectl, the API server, the controllers, and machines played by the test. */
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import { type ApiClient, connect } from '../../controllers/lib/client.ts'
import { createControllers } from '../../controllers/main.ts'
import { Unit } from '../../crds/unit.ts'
import { bindKubectl } from '../support/expect-kubectl.ts'
import { kubectls } from '../support/kubectl.ts'
import { bringUp, PLAYED_LEASE_MS } from '../support/played-machine.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { runCommand } from './cli/run.ts'

const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
const test = suite('placement, with kubectl')
const [client] = await kubectls()
if (!client) throw new Error('there is no kubectl')
const kubectl = bindKubectl(client, () => server.kubeconfigPath)

let server: ApiServer
let admin: ApiClient
let stopControllers: () => Promise<void>

test.before(async () => {
  server = await startApiServer({ dataDir: tempDir(), listen: '127.0.0.1:0', store: 'memory', log })
  admin = connect({ kubeconfigPath: server.kubeconfigPath })
  const controllers = createControllers({ client: admin, identity: 'a', log, leaseDurationMs: PLAYED_LEASE_MS })
  const stop = new AbortController()
  const running = controllers.start(stop.signal)
  stopControllers = () => {
    stop.abort()
    return running
  }
  await Promise.all([
    bringUp(admin, 'm1', { zone: 'a', disk: 'ssd' }),
    bringUp(admin, 'm2', { zone: 'a' }),
    bringUp(admin, 'm3', { zone: 'b' }),
  ])
})
test.after(async () => {
  await stopControllers()
  await admin.close()
  await server.close()
})
test.after.each(async () => {
  await kubectl('delete', 'units', '--all')
})

interface Asked {
  readonly xFleet?: string
  readonly placement?: Unit['spec']['placement']
}

function apply(units: Readonly<Record<string, Asked>>): Promise<string> {
  const items = Object.entries(units).map(([name, { xFleet = '', placement }]) => ({
    ...{ apiVersion: 'flotilla.dev/v1', kind: 'Unit', metadata: { name } },
    spec: { content: `[Service]\nExecStart=/bin/true\n[X-Fleet]\n${xFleet}\n`, ...(placement && { placement }) },
  }))
  return kubectl.given(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), 'apply', '-f', '-')
}

async function machineOf(name: string): Promise<string> {
  return (await admin.get(Unit, name)).spec.machineName ?? ''
}

const placed = (name: string) => until(() => machineOf(name), { what: `${name} placed` })
const placedOn = (name: string, machine: string) =>
  until(async () => (await machineOf(name)) === machine, { what: `${name} on ${machine}` })

async function why(name: string): Promise<string> {
  const { stdout, stderr, code } = await runCommand(['why', `unit/${name}`], { kubeconfig: server.kubeconfigPath })
  assert.is(code, 0, stderr)
  return stdout
}

/** What kubectl shows of the condition Scheduled once it says why not. */
function refusedWith(name: string, words: RegExp): Promise<unknown> {
  const path = '-o=jsonpath={.status.conditions[?(@.type=="Scheduled")].message}'
  return until(async () => words.exec(await kubectl('get', 'unit', name, path)), { what: `${name}: ${words}` })
}

test('metadata chooses the machine, and a unit follows the label when it moves', async () => {
  await apply({ 'db.service': { xFleet: 'MachineMetadata=disk=ssd' } })
  await placedOn('db.service', 'm1')
  await kubectl('label', 'machine', 'm3', 'disk=ssd')
  await kubectl('label', 'machine', 'm1', 'disk-')
  await placedOn('db.service', 'm3')
  await until(async () => /Moved: moved from m1 to m3: has no metadata disk=ssd/.exec(await why('db.service')), {
    what: 'why it moved',
  })
  await kubectl('label', 'machine', 'm1', 'disk=ssd')
  await kubectl('label', 'machine', 'm3', 'disk-')
})

test('of four that conflict three run, and the fourth comes when one goes', async () => {
  const each = { xFleet: 'Conflicts=lone@*.service' }
  await apply(Object.fromEntries([1, 2, 3].map((n) => [`lone@${n}.service`, each])))
  const machines = await Promise.all([1, 2, 3].map((n) => placed(`lone@${n}.service`)))
  assert.equal(machines.toSorted(), ['m1', 'm2', 'm3'])
  await apply({ 'lone@4.service': each })
  await refusedWith('lone@4.service', /^0 of 3 machines can take it: m1: conflicts with lone@\d\.service; m2: /)
  assert.match(
    await why('lone@4.service'),
    /on no machine\n {2}0 of 3 machines can take it\n {4}m1: conflicts with lone@(\d)\.service\n[\s\S]*the smallest change that would place it, on m1:\n.*take lone@\1\.service off m1/,
  )
  await kubectl('delete', 'unit', 'lone@2.service')
  assert.is(await placed('lone@4.service'), machines[1])
})

test('instances are spread over zones, and what can only be uneven waits', async () => {
  const placement = { spread: [{ topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' as const }] }
  await kubectl('cordon', 'm3')
  await apply({ 'web@1.service': { placement } })
  await placed('web@1.service')
  await kubectl('uncordon', 'm3')
  await apply({ 'web@2.service': { placement } })
  assert.is(await placed('web@2.service'), 'm3')
})

test('a taint keeps away what does not tolerate it, and why names the way in', async () => {
  for (const name of ['m1', 'm2', 'm3']) await taint(name, [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }])
  await apply({
    'cuda.service': { placement: { tolerations: [{ key: 'gpu', operator: 'Exists' }] } },
    'plain.service': {},
  })
  await placed('cuda.service')
  await refusedWith('plain.service', /m1: tainted gpu=yes:NoSchedule; m2: tainted gpu=yes:NoSchedule/)
  assert.match(await why('plain.service'), /tolerate gpu=yes:NoSchedule in spec\.placement\.tolerations/)
  for (const name of ['m1', 'm2', 'm3']) await taint(name, null)
  await placed('plain.service')
})

async function taint(name: string, taints: readonly object[] | null): Promise<void> {
  await kubectl('patch', 'machine', name, '--type=merge', '-p', JSON.stringify({ spec: { taints } }))
}

test('units that name each other are placed on one machine, together', async () => {
  await apply({ 'a.service': { xFleet: 'MachineOf=b.service' } })
  await refusedWith('a.service', /m1: b\.service is not placed/)
  await apply({ 'b.service': { xFleet: 'MachineOf=a.service\nMachineMetadata=zone=b' } })
  assert.equal([await placed('a.service'), await placed('b.service')], ['m3', 'm3'])
})

test('what is replaced moves at once, although nothing else happens', async () => {
  const preferred = [{ weight: 1, machineSelector: { matchLabels: { zone: 'b' } } }]
  await apply({ 'was.service': { placement: { preferred } } })
  await placedOn('was.service', 'm3')
  await apply({ 'is.service': { xFleet: 'Replaces=was.service\nMachineMetadata=zone=b' } })
  await until(async () => /^m[12]$/.test(await machineOf('was.service')), { what: 'was.service to move' })
  assert.is(await machineOf('is.service'), 'm3')
})

test('what can never be is refused at the door', async () => {
  for (const [xFleet, words] of [
    ['MachineOf=a.service\nConflicts=a*', /unresolvable requirements: peer "a\.service" matches conflict "a\*"/],
    ['MachineID=abc\nGlobal=true', /MachineID cannot be used with Global/],
  ] as const)
    await apply({ 'never.service': { xFleet } }).then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, words),
    )
})

test.run()
