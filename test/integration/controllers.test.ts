/**
 * Controllers against the real API server, with machines played by the test: what a user sees of placement and loss.
 * Long because every promise shares one server and the machines that are played.
 */
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import { type ApiClient, connect, isApiError } from '../../controllers/lib/client.ts'
import { findCondition } from '../../controllers/lib/conditions.ts'
import { createControllers } from '../../controllers/main.ts'
import { Event, Lease } from '../../crds/core/index.ts'
import { EVENT_NAMESPACE, MACHINE_LEASES } from '../../crds/group.ts'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
const test = suite('controllers: placement and loss of machines')
const LEASE_MS = 1_200
const RENEW_MS = LEASE_MS / 4
const CONTENT = '[Service]\nExecStart=/bin/sleep infinity\n'

let server: ApiServer
let admin: ApiClient
let client: ApiClient

test.before(async () => {
  server = await startApiServer({ dataDir: tempDir(), listen: '127.0.0.1:0', store: 'memory', log })
  admin = connect({ kubeconfigPath: server.kubeconfigPath })
  const { KubeConfig } = await import('@kubernetes/client-node')
  const kubeconfig = new KubeConfig()
  kubeconfig.loadFromString(await server.controllersKubeconfig())
  client = connect({ kubeconfig })
})
test.after(async () => {
  await client.close()
  await admin.close()
  await server.close()
})
test.after.each(async () => {
  const free = { type: 'merge', body: { metadata: { finalizers: null } } } as const
  const { items } = await admin.list(Unit)
  const kept = items.filter(({ metadata }) => metadata.finalizers !== undefined)
  await Promise.all(kept.map(({ metadata }) => admin.patch(Unit, metadata.name, free)))
  await Promise.all([clear(Unit), clear(Machine), clear(Lease, MACHINE_LEASES)])
})

async function clear(kind: typeof Unit | typeof Machine | typeof Lease, namespace?: string): Promise<void> {
  const place = namespace === undefined ? {} : { namespace }
  const { items } = await admin.list(kind, place)
  await Promise.all(items.map(({ metadata }) => admin.delete(kind, metadata.name, place)))
}

/** A machine that is ready and renews its lease until it dies. */
async function bringUp(name: string): Promise<{ die(): void }> {
  await admin.create(Machine, { metadata: { name } })
  const now = new Date().toISOString()
  const ready = { type: 'Ready', status: 'True', reason: 'AgentReady', message: 'ready', lastTransitionTime: now }
  const body = { status: { conditions: [ready] } }
  await admin.patch(Machine, name, { type: 'merge', subresource: 'status', body })
  const spec = { holderIdentity: name }
  await admin.create(Lease, { metadata: { name, namespace: MACHINE_LEASES }, spec })
  const renew = async () => {
    const renewTime = new Date().toISOString().replace('Z', '000Z')
    try {
      await admin.patch(Lease, name, { type: 'merge', namespace: MACHINE_LEASES, body: { spec: { renewTime } } })
    } catch {
      // The test is over and has removed it.
    }
  }
  const timer = setInterval(() => void renew(), RENEW_MS)
  return { die: () => clearInterval(timer) }
}

async function withControllers(
  use: (controllers: ReturnType<typeof createControllers>) => Promise<void>,
  identity = 'a',
) {
  const controllers = createControllers({ client, identity, log, leaseDurationMs: LEASE_MS })
  const stop = new AbortController()
  const running = controllers.start(stop.signal)
  try {
    await use(controllers)
  } finally {
    stop.abort()
    await running
  }
}

const create = (name: string, spec: Partial<Unit['spec']> = {}) =>
  admin.create(Unit, { metadata: { name }, spec: { content: CONTENT, ...spec } })
const machineOf = async (name: string) => (await admin.get(Unit, name)).spec.machineName
const placed = (name: string) => until(() => machineOf(name), { what: `${name} placed` })

test('units are spread over the machines, and an inactive one is taken off', () =>
  withControllers(async () => {
    const machines = await Promise.all(['m1', 'm2', 'm3'].map(bringUp))
    await Promise.all(Array.from({ length: 30 }, (_, i) => create(`u${i}.service`)))
    const units = await until(
      async () => {
        const { items } = await admin.list(Unit)
        return items.every(({ spec }) => spec.machineName) && items
      },
      { what: 'all placed' },
    )
    const loads = units.reduce<Record<string, number>>((all, { spec: { machineName = '' } }) => {
      all[machineName] = (all[machineName] ?? 0) + 1
      return all
    }, {})
    assert.equal(loads, { m1: 10, m2: 10, m3: 10 })
    await admin.patch(Unit, 'u7.service', { type: 'merge', body: { spec: { desiredState: 'inactive' } } })
    await until(async () => !(await machineOf('u7.service')), { what: 'the inactive unit unbound' })
    for (const { die } of machines) die()
  }))

test('a unit that fits nowhere says why for each machine, and is placed when one is uncordoned', () =>
  withControllers(async () => {
    const { die } = await bringUp('m1')
    await admin.patch(Machine, 'm1', { type: 'merge', body: { spec: { unschedulable: true } } })
    await create('a.service')
    const condition = await until(
      async () => {
        const { status } = await admin.get(Unit, 'a.service')
        const scheduled = findCondition(status?.conditions, 'Scheduled')
        return scheduled?.message.includes('cordoned') && scheduled
      },
      { what: 'condition Scheduled' },
    )
    assert.is(condition.status, 'False')
    assert.is(condition.message, '0 of 1 machines can take it: m1: cordoned')
    const isTold = async () =>
      (await admin.list(Event, { namespace: EVENT_NAMESPACE })).items.some((e) => e.message === condition.message)
    await until(isTold, { what: 'the Event' })
    await admin.patch(Machine, 'm1', { type: 'merge', body: { spec: { unschedulable: null } } })
    await placed('a.service')
    die()
  }))

test('a unit that waits for another is placed beside it as soon as that is placed', () =>
  withControllers(async () => {
    const machines = await Promise.all(['m1', 'm2'].map(bringUp))
    await create('a.timer', { placement: { machineOf: ['b.service'] } })
    const isWaiting = async () => findCondition((await admin.get(Unit, 'a.timer')).status?.conditions, 'Scheduled')
    await until(isWaiting, { what: 'the timer waits' })
    await create('b.service')
    assert.is(await placed('a.timer'), await placed('b.service'))
    for (const { die } of machines) die()
  }))

test('a machine whose lease runs out is Unknown and its units move, exclusive ones too if their holder fences them', () =>
  withControllers(async () => {
    const m1 = await bringUp('m1')
    await create('a.service')
    await create('x.service', { failover: 'exclusive' })
    await create('y.service', { failover: 'exclusive' })
    await create('n.service', { failover: 'none' })
    await Promise.all(['a.service', 'x.service', 'y.service', 'n.service'].map(placed))
    const status = { machineName: 'm1', currentState: 'launched', systemd: { activeState: 'active' } }
    const hold = (name: string, more: object = {}) =>
      admin.patch(Unit, name, { type: 'merge', subresource: 'status', body: { status: { ...status, ...more } } })
    await Promise.all([hold('a.service'), hold('x.service'), hold('y.service', { fencingToken: '7' })])
    const m2 = await bringUp('m2')
    m1.die()
    const diedMs = performance.now()
    await until(async () => (await machineOf('a.service')) === 'm2', {
      what: 'the unit moved',
      timeoutMs: 4 * LEASE_MS,
    })
    const tookMs = performance.now() - diedMs
    assert.ok(tookMs >= LEASE_MS - RENEW_MS - 50, `moved after ${tookMs} ms, before its lease ran out`)
    const moved = await admin.get(Unit, 'a.service')
    assert.is(moved.status?.machineName, undefined)
    assert.is(moved.status?.systemd, undefined)
    const lost = findCondition((await admin.get(Machine, 'm1')).status?.conditions, 'Ready')
    assert.equal([lost?.status, lost?.reason], ['Unknown', 'LeaseExpired'])
    await until(async () => (await machineOf('y.service')) === 'm2', { what: 'the fenced exclusive unit moved' })
    assert.is((await admin.get(Unit, 'y.service')).status?.fencingToken, undefined)
    assert.equal([await machineOf('x.service'), await machineOf('n.service')], ['m1', 'm1'])
    m2.die()
  }))

test('an exclusive unit that was deleted is there until nobody holds it; one that was never held goes at once', () =>
  withControllers(async () => {
    const m1 = await bringUp('m1')
    await create('x.service', { failover: 'exclusive', machineName: 'm1' })
    const finalizers = async () => (await admin.get(Unit, 'x.service')).metadata.finalizers
    await until(async () => (await finalizers())?.includes('flotilla.dev/stopped'), { what: 'bound by hand, and kept' })
    const holding = (machineName: string | null) => ({ status: { machineName, fencingToken: machineName && '7' } })
    const hold = (machineName: string | null) =>
      admin.patch(Unit, 'x.service', { type: 'merge', subresource: 'status', body: holding(machineName) })
    await hold('m1')
    await admin.delete(Unit, 'x.service')
    assert.ok((await admin.get(Unit, 'x.service')).metadata.deletionTimestamp, 'its holder has not stopped it yet')
    await hold(null)
    const gone = (name: string) => async () =>
      !(await admin.list(Unit)).items.some((unit) => unit.metadata.name === name)
    await until(gone('x.service'), { what: 'gone, once its holder let go' })
    await create('z.service', { failover: 'exclusive' })
    assert.is(await placed('z.service'), 'm1')
    assert.equal((await admin.get(Unit, 'z.service')).metadata.finalizers, ['flotilla.dev/stopped'])
    await admin.delete(Unit, 'z.service')
    await until(gone('z.service'), { what: 'gone, never held' })
    m1.die()
  }))

test('when every machine falls silent at once none of their units moves', () =>
  withControllers(async () => {
    const machines = await Promise.all(['m1', 'm2'].map(bringUp))
    await create('a.service')
    const before = await placed('a.service')
    for (const { die } of machines) die()
    const isMarked = async (name: string) =>
      findCondition((await admin.get(Machine, name)).status?.conditions, 'Ready')?.status === 'Unknown'
    await until(async () => (await isMarked('m1')) && (await isMarked('m2')), { what: 'both marked' })
    assert.is(await machineOf('a.service'), before)
  }))

test('units of a machine that is removed are placed anew', () =>
  withControllers(async () => {
    const m1 = await bringUp('m1')
    await create('a.service')
    await placed('a.service')
    const m2 = await bringUp('m2')
    m1.die()
    await admin.delete(Machine, 'm1')
    await until(async () => (await machineOf('a.service')) === 'm2', { what: 'the unit moved' })
    m2.die()
  }))

test('the standby takes over within a second of a clean stop', async () => {
  const { die } = await bringUp('m1')
  let handedOverMs = 0
  await withControllers(async (standby) => {
    await withControllers(async (leader) => {
      await until(() => leader.isLeader() || standby.isLeader(), { what: 'a leader' })
    }, 'second')
    handedOverMs = performance.now()
    await until(() => standby.isLeader(), { what: 'the standby leads' })
    await create('after.service')
    await placed('after.service')
  }, 'first')
  assert.ok(performance.now() - handedOverMs < 2_000)
  die()
})

test('a leader whose lease is taken steps down and contends again, and its process goes on', () =>
  withControllers(async (controllers) => {
    await until(controllers.isLeader, { what: 'leading' })
    const place = { namespace: EVENT_NAMESPACE }
    const body = { spec: { holderIdentity: 'thief', leaseDurationSeconds: 1 } }
    await admin.patch(Lease, 'flotilla-controllers', { type: 'merge', body, ...place })
    await until(() => !controllers.isLeader(), { what: 'stepped down' })
    await until(controllers.isLeader, { what: 'leading again', timeoutMs: 4_000 })
    const lease = await admin.get(Lease, 'flotilla-controllers', place)
    assert.is(lease.spec?.holderIdentity, 'a')
  }))

test('a write that is lost to somebody faster is a 409 for its client', async () => {
  const before = await create('a.service')
  await admin.patch(Unit, 'a.service', { type: 'merge', body: { metadata: { labels: { a: '1' } } } })
  const body = { metadata: { resourceVersion: before.metadata.resourceVersion }, spec: { machineName: 'm1' } }
  const error = await admin.patch(Unit, 'a.service', { type: 'merge', body }).catch((e: unknown) => e)
  assert.ok(isApiError(error, 409))
})

test.run()
