// heavy
/**
 * Two servers and two controllers, processes of their own, over one etcd: who leads when the leader goes, how soon, and
 * that every unit is bound once, whoever leads.
 */
import * as assert from 'uvu/assert'
import type { WatchEvent } from '../../controllers/lib/watch.ts'
import { Lease } from '../../crds/core/index.ts'
import { EVENT_NAMESPACE, MACHINE_LEASES } from '../../crds/group.ts'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import { type EtcdMember, startEtcd } from '../support/etcd.ts'
import type { RunningProcess } from '../support/process.ts'
import { type Product, startFlotilla, startProduct } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'

const LEADER_LEASE = 'flotilla-controllers'
const CLEAN_HAND_OVER_MS = 1_000
const AFTER_KILL_MS = 5_000
const MACHINES = ['a', 'b', 'c']
const RENEW_MS = 1_000
const CREATE_EVERY_MS = 50
const content = '[Service]\nExecStart=/bin/sleep infinity\n'

interface World {
  etcd: EtcdMember
  servers: [Product, Product]
  /** The one at the first server and the one at the second. */
  controllers: [RunningProcess, RunningProcess]
}

const world = {} as World
const test = suiteOf('two controllers over one etcd', { needs: ['etcd'] })

const startControllers = ({ kubeconfig }: Product) =>
  startFlotilla(['controllers', '--kubeconfig', kubeconfig], kubeconfig)

test.before(async () => {
  world.etcd = await startEtcd()
  const args = ['server', '--store', 'etcd', '--etcd-endpoints', world.etcd.url]
  world.servers = await Promise.all([startProduct(args), startProduct(args)])
  for (const name of MACHINES) await bringUp(name)
  const [one, other] = world.servers
  world.controllers = [await startControllers(one), await startControllers(other)]
  await holder((name) => name !== '')
})

test.after(async () => {
  for (const running of [...(world.controllers ?? []), ...(world.servers ?? [])]) await running.stop()
  await world.etcd?.[Symbol.asyncDispose]()
})

/** A machine that is ready. The test renews its lease. */
async function bringUp(name: string): Promise<void> {
  const { admin } = world.servers[0]
  await admin.create(Machine, { metadata: { name } })
  const lastTransitionTime = new Date().toISOString()
  const ready = { type: 'Ready', status: 'True', reason: 'AgentReady', message: 'ready', lastTransitionTime }
  await admin.patch(Machine, name, { type: 'merge', subresource: 'status', body: { status: { conditions: [ready] } } })
  const spec = { holderIdentity: name, leaseDurationSeconds: 8 }
  await admin.create(Lease, { metadata: { name, namespace: MACHINE_LEASES }, spec })
}

async function renewAll(): Promise<void> {
  const renewTime = new Date().toISOString().replace('Z', '000Z')
  const renewal = { type: 'merge', body: { spec: { renewTime } }, namespace: MACHINE_LEASES } as const
  await Promise.all(MACHINES.map((name) => world.servers[0].admin.patch(Lease, name, renewal)))
}

/** Who leads, once it is one that `fits`. */
function holder(fits: (name: string) => boolean): Promise<string> {
  const look = async () => {
    const lease = await world.servers[0].admin.get(Lease, LEADER_LEASE, { namespace: EVENT_NAMESPACE })
    const name = lease.spec?.holderIdentity ?? ''
    return fits(name) && name
  }
  return until(look, { what: 'a leader', timeoutMs: 15_000 })
}

/** The number of the controllers that lead; identities end in the process id. */
async function leading(): Promise<0 | 1> {
  const name = await holder((each) => each !== '')
  return name.endsWith(`-${world.controllers[0].pid}`) ? 0 : 1
}

/** Every machine that each unit was ever bound to, in order. */
function watchBindings(after: string) {
  const bindings = new Map<string, string[]>()
  const stop = new AbortController()
  const onEvent = ({ type, object }: WatchEvent) => {
    if (type === 'BOOKMARK') return
    const { machineName = '' } = (object as Unit).spec
    const before = bindings.get(object.metadata.name) ?? []
    if (machineName !== (before.at(-1) ?? '')) bindings.set(object.metadata.name, [...before, machineName])
  }
  const options = { resourceVersion: after, signal: stop.signal, onEvent }
  const ended = world.servers[1].admin.watch(Unit, options).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
  })
  ended.catch(() => undefined) // told to whoever stops it
  return {
    bindings,
    async stop() {
      stop.abort()
      await ended
    },
  }
}

/** A unit every 50 ms and renewed machines, all the while. */
function working() {
  const created: string[] = []
  const create = async () => {
    const name = `unit-${created.length}.service`
    created.push(name)
    await world.servers[created.length % 2 ? 1 : 0].admin.create(Unit, { metadata: { name }, spec: { content } })
  }
  const failures: unknown[] = []
  const failed = (error: unknown) => void failures.push(error)
  const timers = [
    setInterval(() => void create().catch(failed), CREATE_EVERY_MS),
    setInterval(() => void renewAll().catch(failed), RENEW_MS),
  ]
  return {
    created,
    stop() {
      for (const timer of timers) clearInterval(timer)
      assert.equal(failures, [])
    },
  }
}

/** From the end of one leader's work until the other one leads, and until it has bound a unit that came meanwhile. */
async function handOver(end: (leader: RunningProcess) => Promise<unknown>, bindings: ReadonlyMap<string, unknown>) {
  const at = await leading()
  const other = world.controllers[1 - at] as RunningProcess
  const begunMs = performance.now()
  const ended = end(world.controllers[at] as RunningProcess)
  await holder((name) => name.endsWith(`-${other.pid}`))
  const tookMs = performance.now() - begunMs
  const bound = bindings.size
  await until(() => bindings.size > bound, { what: 'a binding by the next leader', timeoutMs: 10_000 })
  const boundMs = performance.now() - begunMs
  await ended
  world.controllers[at] = await startControllers(world.servers[at] as Product)
  return { tookMs, text: `${tookMs.toFixed(0)} ms, next binding after ${boundMs.toFixed(0)} ms` }
}

test('a leader that stops hands over within a second, a killed one is replaced within five, and each unit is bound once', async () => {
  const { metadata } = await world.servers[0].admin.list(Unit)
  const watch = watchBindings(metadata.resourceVersion)
  const work = working()
  await until(() => watch.bindings.size > 5, { what: 'first bindings' })
  const clean = await handOver((leader) => leader.stop('SIGTERM'), watch.bindings)
  const killed = await handOver((leader) => leader.crash(), watch.bindings)
  console.log(`clean hand-over: ${clean.text}; after kill -9: ${killed.text}`)
  work.stop()
  const all = () => work.created.every((name) => watch.bindings.has(name))
  await until(all, { what: 'all units bound', timeoutMs: 10_000 })
  await watch.stop()
  const moved = [...watch.bindings].filter(([, machines]) => machines.length !== 1 || machines[0] === '')
  assert.equal(moved, [], 'bound more than once')
  console.log(`${work.created.length} units bound once each`)
  assert.ok(clean.tookMs <= CLEAN_HAND_OVER_MS, clean.text)
  assert.ok(killed.tookMs <= AFTER_KILL_MS, killed.text)
})

test.run()
