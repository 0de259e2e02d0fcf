/**
 * One agent against the real API server, with the driver in memory: what a user sees of units on a machine.
 * Long because every promise shares one server and the same few helpers.
 */
import { randomUUID } from 'node:crypto'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { renderKubeconfig } from '../../api-server/auth/kubeconfig.ts'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import { type ApiClient, connect, isApiError } from '../../controllers/lib/client.ts'
import { findCondition } from '../../controllers/lib/conditions.ts'
import { ConfigMap, Event, Lease } from '../../crds/core/index.ts'
import { EVENT_NAMESPACE, MACHINE_LEASES } from '../../crds/group.ts'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import { runAgent } from '../../node-agent/main.ts'
import { type FakeUnitDriver, openFakeDriver } from '../../node-agent/units/fake.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
const test = suite('agent: units on a machine')

let server: ApiServer
let admin: ApiClient

test.before(async () => {
  server = await startApiServer({ dataDir: tempDir(), listen: '127.0.0.1:0', store: 'memory', log })
  admin = connect({ kubeconfigPath: server.kubeconfigPath })
})
test.after(async () => {
  await admin.close()
  await server.close()
})

interface Agent {
  readonly name: string
  readonly driver: FakeUnitDriver
  readonly dataDir: string
  stop(): Promise<void>
}

interface AgentParts {
  readonly name?: string
  readonly driver?: FakeUnitDriver
  readonly dataDir?: string
}

/** A machine's own identity, so that what it may not do is found out here. */
async function machineClient(name: string): Promise<ApiClient> {
  const request = { commonName: `machine:${name}`, organizations: ['flotilla:machines'] }
  const issued = await server.pki.issueClient(request)
  try {
    await admin.create(Machine, { metadata: { name }, spec: {} })
  } catch (error) {
    if (!isApiError(error, 409)) throw error
  }
  const status = { keyHashes: [issued.keyHash] }
  await admin.patch(Machine, name, { type: 'merge', subresource: 'status', body: { status } })
  const { KubeConfig } = await import('@kubernetes/client-node')
  const kubeconfig = new KubeConfig()
  kubeconfig.loadFromString(
    renderKubeconfig({
      server: server.url,
      caCertificate: server.pki.caCertificate,
      certificate: issued.certificate,
      key: issued.key,
      user: request.commonName,
    }),
  )
  return connect({ kubeconfig })
}

async function startAgent(parts: AgentParts = {}): Promise<Agent> {
  const name = parts.name ?? `m-${randomUUID().slice(0, 8)}`
  const driver = parts.driver ?? (await openFakeDriver())
  const dataDir = parts.dataDir ?? tempDir()
  const stopping = new AbortController()
  const client = await machineClient(name)
  const running = runAgent({ client, name, driver, dataDir, log, signal: stopping.signal })
  await until(async () => condition(await admin.get(Machine, name), 'Ready')?.status === 'True', {
    what: `${name} ready`,
  })
  return {
    ...{ name, driver, dataDir },
    stop: async () => {
      stopping.abort()
      await running
      await client.close()
    },
  }
}

async function withAgent(run: (agent: Agent) => Promise<void>): Promise<void> {
  const agent = await startAgent()
  try {
    await run(agent)
  } finally {
    await agent.stop()
    await agent.driver.close({ stopUnits: true })
  }
}

function condition(object: { status?: Unit['status'] | Machine['status'] }, type: string) {
  return findCondition(object.status?.conditions, type)
}

const service = (execStart: string, more = ''): string => `[Service]\nExecStart=${execStart}\n${more}`
const SLEEPS = service('/bin/sleep infinity')

let count = 0
async function createUnit(machineName: string, spec: Partial<Unit['spec']> = {}): Promise<string> {
  const name = `u${++count}.service`
  await admin.create(Unit, { metadata: { name }, spec: { content: SLEEPS, machineName, ...spec } })
  return name
}

function active(name: string, reason: string): Promise<Unit> {
  return until(
    async () => {
      const unit = await admin.get(Unit, name)
      return condition(unit, 'Active')?.reason === reason ? unit : undefined
    },
    { what: `${name} to be ${reason}` },
  )
}

async function eventReasons(name: string): Promise<string[]> {
  const events = await admin.list(Event, { namespace: EVENT_NAMESPACE, fieldSelector: `involvedObject.name=${name}` })
  return events.items.map(({ reason }) => reason ?? '')
}

test('a machine registers itself and says that it lives', () =>
  withAgent(async ({ name }) => {
    const { status } = await admin.get(Machine, name)
    assert.match(status?.capacity?.memory as string, /^\d+Ki$/)
    assert.ok(Number(status?.capacity?.cpu) >= 1)
    assert.is(status?.unitDriver, 'fake')
    assert.ok(status?.addresses?.some(({ type }) => type === 'Hostname'))
    const lease = await until(() => admin.get(Lease, name, { namespace: MACHINE_LEASES }), { what: 'a lease' })
    assert.is(lease.spec?.holderIdentity, name)
    assert.is(lease.spec?.leaseDurationSeconds, 8)
  }))

test('a Machine that somebody else changed is put right', () =>
  withAgent(async ({ name }) => {
    const body = { status: { conditions: [], agentVersion: 'wrong' } }
    await admin.patch(Machine, name, { type: 'merge', subresource: 'status', body })
    await until(async () => condition(await admin.get(Machine, name), 'Ready')?.status === 'True', {
      what: 'Ready again',
    })
    assert.is((await admin.get(Machine, name)).status?.agentVersion, '0.1.0')
  }))

test('a placed unit is claimed, started and reported in two writes', () =>
  withAgent(async ({ name, driver }) => {
    const unit = await createUnit(name)
    const versions = new Set<string>()
    const seen = await until(
      async () => {
        const now = await admin.get(Unit, unit)
        versions.add(now.metadata.resourceVersion ?? '')
        return condition(now, 'Active')?.status === 'True' ? now : undefined
      },
      { what: 'active' },
    )
    assert.equal(driver.running(), [unit])
    assert.is(seen.status?.machineName, name)
    assert.is(seen.status?.currentState, 'launched')
    assert.is(seen.status?.systemd?.subState, 'running')
    assert.match(seen.status?.hash ?? '', /^[0-9a-f]{40}$/)
    assert.is(seen.status?.observedGeneration, seen.metadata.generation)
    assert.is(condition(seen, 'Scheduled')?.reason, 'Bound')
    assert.ok(versions.size <= 3, `created, claimed, reported: ${versions.size} versions seen`)
    await until(async () => (await eventReasons(unit)).includes('Started'), { what: 'the Started event' })
  }))

test('stopped, started again, and given back when inactive', () =>
  withAgent(async ({ name, driver }) => {
    const unit = await createUnit(name)
    const desire = (desiredState: string) =>
      admin.patch(Unit, unit, { type: 'merge', body: { spec: { desiredState } } })
    await active(unit, 'Running')
    await desire('loaded')
    const loaded = await active(unit, 'Stopped')
    assert.is(loaded.status?.currentState, 'loaded')
    assert.equal(driver.running(), [])
    await desire('launched')
    await active(unit, 'Running')
    await desire('inactive')
    const given = await until(
      async () => {
        const now = await admin.get(Unit, unit)
        return now.status?.machineName === undefined && now
      },
      { what: 'given back' },
    )
    assert.is(given.status?.currentState, 'inactive')
    assert.is((await driver.installed()).size, 0)
  }))

test('a deleted unit is stopped and nothing of it stays', () =>
  withAgent(async ({ name, driver }) => {
    const unit = await createUnit(name)
    await active(unit, 'Running')
    await admin.delete(Unit, unit)
    await until(async () => (await driver.installed()).size === 0, { what: 'removed' })
    assert.equal(driver.running(), [])
  }))

test('a unit that moves runs on one machine at a time', () =>
  withAgent((from) =>
    withAgent(async (to) => {
      const unit = await createUnit(from.name)
      await active(unit, 'Running')
      await admin.patch(Unit, unit, { type: 'merge', body: { spec: { machineName: to.name } } })
      await until(
        () => {
          assert.ok(from.driver.running().length + to.driver.running().length <= 1)
          return to.driver.running().includes(unit)
        },
        { what: 'moved' },
      )
      await until(async () => (await admin.get(Unit, unit)).status?.machineName === to.name, { what: 'holder' })
      assert.equal(from.driver.running(), [])
    }),
  ))

test('new content restarts the unit and changes its hash', () =>
  withAgent(async ({ name }) => {
    const unit = await createUnit(name)
    const before = await active(unit, 'Running')
    const content = service('/bin/sleep 1000')
    await admin.patch(Unit, unit, { type: 'merge', body: { spec: { content } } })
    await until(
      async () => {
        const { status } = await admin.get(Unit, unit)
        return status?.hash !== before.status?.hash && status?.systemd?.mainPID !== before.status?.systemd?.mainPID
      },
      { what: 'the new content to run' },
    )
  }))

test('a failed unit is left failed, with its reason, and told as an event', () =>
  withAgent(async ({ name, driver }) => {
    const unit = await createUnit(name, { content: service('/bin/false') })
    const failed = await active(unit, 'Failed')
    assert.is(failed.status?.systemd?.activeState, 'failed')
    assert.match(condition(failed, 'Active')?.message ?? '', /exit/)
    await until(async () => (await eventReasons(unit)).includes('UnitFailed'), { what: 'the event' })
    assert.equal(driver.running(), [])
  }))

test('a oneshot that ended well is Completed and is not run again', () =>
  withAgent(async ({ name }) => {
    const unit = await createUnit(name, { content: service('/bin/true', 'Type=oneshot\n') })
    const done = await active(unit, 'Completed')
    assert.is(done.status?.systemd?.result, 'success')
    await admin.patch(Unit, unit, { type: 'merge', body: { metadata: { labels: { touched: 'yes' } } } })
    assert.is((await active(unit, 'Completed')).status?.systemd?.restarts, 0)
  }))

test('a killed process shows its restart within two seconds', () =>
  withAgent(async ({ name, driver }) => {
    const unit = await createUnit(name, {
      content: service('/bin/sleep infinity', 'Restart=always\nRestartSec=100ms\n'),
    })
    const before = await active(unit, 'Running')
    driver.kill(before.status?.systemd?.mainPID ?? 0, 'SIGKILL')
    await until(async () => (await admin.get(Unit, unit)).status?.systemd?.restarts === 1, {
      what: 'the restart to show',
      timeoutMs: 2_000,
    })
  }))

test('what the driver cannot run is said, not installed', () =>
  withAgent(async ({ name, driver }) => {
    const unit = `u${++count}.socket`
    await admin.create(Unit, {
      metadata: { name: unit },
      spec: { content: '[Socket]\nListenStream=1\n', machineName: name },
    })
    const told = await active(unit, 'NotSupported')
    assert.is(told.status?.currentState, 'inactive')
    assert.is((await driver.installed()).size, 0)
  }))

test('of two Units with one name the older runs, and the other takes over after it', () =>
  withAgent(async ({ name, driver }) => {
    const older = await createUnit(name)
    await active(older, 'Running')
    const younger = `twin-${count}.service`
    await admin.create(Unit, {
      metadata: { name: younger },
      spec: { content: SLEEPS, machineName: name, unitName: older },
    })
    const refused = await active(younger, 'Refused')
    assert.match(condition(refused, 'Active')?.message ?? '', older)
    await admin.delete(Unit, older)
    await active(younger, 'Running')
    assert.equal(driver.running(), [older])
  }))

test('one unit that cannot start does not stop the others', () =>
  withAgent(async ({ name }) => {
    const bad = await createUnit(name, { content: service('/no/such/program') })
    const good = await Promise.all(Array.from({ length: 20 }, () => createUnit(name)))
    await Promise.all(good.map((unit) => active(unit, 'Running')))
    await active(bad, 'Failed')
  }))

test('an agent that comes back touches nothing that runs', async () => {
  const first = await startAgent()
  const unit = await createUnit(first.name)
  const oneshot = await createUnit(first.name, { content: service('/bin/true', 'Type=oneshot\n') })
  const before = await active(unit, 'Running')
  await active(oneshot, 'Completed')
  await first.stop()
  const second = await startAgent(first)
  const other = await createUnit(second.name)
  await active(other, 'Running')
  const after = await admin.get(Unit, unit)
  assert.is(after.status?.systemd?.mainPID, before.status?.systemd?.mainPID)
  assert.is(after.metadata.resourceVersion, before.metadata.resourceVersion)
  assert.equal([...second.driver.running()].toSorted(), [other, unit].toSorted())
  await second.stop()
  await second.driver.close({ stopUnits: true })
})

test("with a machine's own rights: a unit waits for its ConfigMap, says so, and starts when it is there", () =>
  withAgent(async ({ name, driver }) => {
    const environment = [{ name: 'A', configMapKeyRef: { name: 'late', key: 'a' } }]
    const unit = await createUnit(name, { environment })
    const waiting = await active(unit, 'ConfigMissing')
    assert.match(condition(waiting, 'Active')?.message ?? '', 'ConfigMap default/late, which does not exist')
    assert.equal([waiting.status?.currentState, driver.running()], ['inactive', []])
    await admin.create(ConfigMap, { metadata: { name: 'late', namespace: 'default' }, data: { a: '1' } })
    await active(unit, 'Running')
    assert.ok((await eventReasons(unit)).includes('ConfigMissing'))
    const dropIns = (await driver.installed()).get(unit)?.dropIns
    assert.equal(dropIns, [{ name: 'zz-flotilla-environment.conf', content: '[Service]\nEnvironment="A=1"\n' }])
  }))

test('credentials are refused by name where no systemd can decrypt them', () =>
  withAgent(async ({ name }) => {
    const unit = await createUnit(name, { credentials: [{ name: 'c', secretKeyRef: { name: 's', key: 'k' } }] })
    const told = await active(unit, 'NotSupported')
    assert.match(condition(told, 'Active')?.message ?? '', 'spec.credentials')
  }))

test('an exclusive unit is refused by name where no systemd can stop it without the agent', () =>
  withAgent(async ({ name, driver }) => {
    const unit = await createUnit(name, { failover: 'exclusive' })
    const metadata = { finalizers: ['flotilla.dev/stopped'] }
    await admin.patch(Unit, unit, { type: 'merge', body: { metadata } })
    const told = await active(unit, 'NotSupported')
    assert.match(condition(told, 'Active')?.message ?? '', "failover: exclusive needs the machine's own systemd")
    assert.equal(driver.running(), [])
    await admin.patch(Unit, unit, { type: 'merge', body: { metadata: { finalizers: null } } })
  }))

/** An agent of a machine that nothing else is known of; ends with the work, whatever comes of it. */
async function whileRunning(
  parts: { readonly client: ApiClient; readonly dataDir: string },
  work: (driver: FakeUnitDriver) => Promise<void>,
): Promise<void> {
  const driver = await openFakeDriver()
  const stopping = new AbortController()
  const running = runAgent({ ...parts, name: 'lonely', driver, log, signal: stopping.signal, serverWaitMs: 200 })
  try {
    await work(driver)
  } finally {
    stopping.abort()
    await running
    await driver.close({ stopUnits: true })
  }
}

/** What a reboot leaves is the disk; the manager, made anew, knows nothing. */
test('without a server a machine starts from disk what it held, but nothing exclusive', async () => {
  const own = await startApiServer({ dataDir: tempDir(), listen: '127.0.0.1:0', store: 'memory', log })
  const parts = { client: connect({ kubeconfigPath: own.kubeconfigPath }), dataDir: tempDir() }
  const create = (name: string, failover: Unit['spec']['failover']) =>
    parts.client.create(Unit, { metadata: { name }, spec: { content: SLEEPS, machineName: 'lonely', failover } })
  await Promise.all([create('plain.service', 'reschedule'), create('single.service', 'exclusive')])
  await whileRunning(parts, async (driver) => {
    await until(() => driver.running().includes('plain.service'), { what: 'the plain unit to run' })
    await own.close()
    assert.equal(driver.running(), ['plain.service'])
  })
  await whileRunning(parts, async (driver) => {
    await until(() => driver.running().includes('plain.service'), { what: 'the plain unit to run' })
    assert.equal(driver.running(), ['plain.service'])
    assert.equal([...(await driver.installed()).keys()], ['plain.service'])
  })
  await parts.client.close()
})

test.run()
