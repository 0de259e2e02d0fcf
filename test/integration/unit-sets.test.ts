// deadline: 60 s
/** Replicas and Global as users meet them: kubectl, the API server, the controllers, and machines played by the test. */
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import { isApiError } from '../../controllers/lib/api-error.ts'
import { type ApiClient, connect } from '../../controllers/lib/client.ts'
import { findCondition } from '../../controllers/lib/conditions.ts'
import { createControllers } from '../../controllers/main.ts'
import { Machine } from '../../crds/machine.ts'
import { Unit } from '../../crds/unit.ts'
import { bindKubectl } from '../support/expect-kubectl.ts'
import { kubectls } from '../support/kubectl.ts'
import { bringUp, PLAYED_LEASE_MS } from '../support/played-machine.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
const test = suite('sets of units, with kubectl')
const [client] = await kubectls()
if (!client) throw new Error('there is no kubectl')
const kubectl = bindKubectl(client, () => server.kubeconfigPath)

let server: ApiServer
let admin: ApiClient
const endings: (() => Promise<unknown>)[] = []

test.before(async () => {
  server = await startApiServer({ dataDir: tempDir(), listen: '127.0.0.1:0', store: 'memory', log })
  admin = connect({ kubeconfigPath: server.kubeconfigPath })
  run(createControllers({ client: admin, identity: 'a', log, leaseDurationMs: PLAYED_LEASE_MS }).start)
  run(playMachines)
  await Promise.all([bringUp(admin, 'm1', { disk: 'ssd' }), bringUp(admin, 'm2', { disk: 'ssd' })])
})
test.after(async () => {
  for (const end of endings.toReversed()) await end()
  await admin.close()
  await server.close()
})
test.after.each(async () => {
  const own = (await admin.list(Unit)).items.filter(({ metadata }) => !metadata.ownerReferences?.length)
  for (const { metadata } of own) await admin.delete(Unit, metadata.name)
  await until(async () => (await names()).length === 0, { what: 'nothing left' })
})

function run(start: (signal: AbortSignal) => Promise<unknown>): void {
  const stop = new AbortController()
  const running = start(stop.signal)
  endings.push(() => {
    stop.abort()
    return running
  })
}

/** What every agent would say of what is bound: it runs, unless its content says `fail`. */
async function playMachines(signal: AbortSignal): Promise<void> {
  const { items, metadata } = await admin.list(Unit)
  const writes: Promise<void>[] = items.map(report)
  const onEvent = ({ type, object }: { readonly type: string; readonly object: unknown }) => {
    if (type === 'ADDED' || type === 'MODIFIED') writes.push(report(object as Unit))
  }
  await admin.watch(Unit, { resourceVersion: metadata.resourceVersion, signal, onEvent }).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  await Promise.all(writes)
}

async function report({ metadata, spec, status }: Unit): Promise<void> {
  const { name, resourceVersion, generation = 0 } = metadata
  if (!spec.machineName || findCondition(status?.conditions, 'Active')?.observedGeneration === generation) return
  const isWell = !spec.content.includes('fail')
  const active = {
    ...{ type: 'Active', status: isWell ? 'True' : 'False', reason: isWell ? 'Running' : 'Failed' },
    ...{ message: isWell ? 'running' : 'failed: exit-code', observedGeneration: generation },
    lastTransitionTime: new Date().toISOString(),
  }
  const body = { metadata: { resourceVersion }, status: { machineName: spec.machineName, conditions: [active] } }
  try {
    await admin.patch(Unit, name, { type: 'merge', subresource: 'status', body })
  } catch (error) {
    // It changed meanwhile: that is an event of its own.
    if (!isApiError(error, 404, 409)) throw error
  }
}

const content = (what: string, xFleet = '') => `[Service]\nExecStart=/bin/${what}\n[X-Fleet]\n${xFleet}\n`
async function apply(name: string, spec: Partial<Unit['spec']> & { readonly content: string }): Promise<void> {
  const isThere = (await names()).includes(name)
  if (isThere) await admin.patch(Unit, name, { type: 'merge', body: { spec } })
  else await admin.create(Unit, { metadata: { name }, spec })
}
async function names(): Promise<string[]> {
  return (await admin.list(Unit)).items.map(({ metadata }) => metadata.name)
}
const instances = (parent: string, expect: readonly string[]) =>
  until(async () => (await names()).filter((name) => name !== parent).join() === expect.join(), {
    what: `instances ${expect}`,
  })

/** Once the parent says so about its spec of now. */
function progressing(name: string, reason: string): Promise<Unit> {
  return until(
    async () => {
      const unit = await admin.get(Unit, name)
      const said = findCondition(unit.status?.conditions, 'Progressing')
      return said?.reason === reason && said.observedGeneration === unit.metadata.generation && unit
    },
    { what: `${name} ${reason}` },
  )
}
const counts = ({ status }: Unit) => [
  status?.desiredReplicas,
  status?.replicas,
  status?.activeReplicas,
  status?.readyReplicas,
  status?.updatedReplicas,
]

test('kubectl scale makes instances and takes the highest away, and one deleted by hand comes back', async () => {
  await apply('web@.service', { content: content('a'), replicas: 2 })
  await instances('web@.service', ['web@1.service', 'web@2.service'])
  assert.equal(counts(await progressing('web@.service', 'Complete')), [2, 2, 2, 2, 2])
  await kubectl('scale', 'unit', 'web@.service', '--replicas=4')
  await instances(
    'web@.service',
    [1, 2, 3, 4].map((n) => `web@${n}.service`),
  )
  await kubectl('scale', 'unit', 'web@.service', '--replicas=1')
  await instances('web@.service', ['web@1.service'])
  const { uid } = (await admin.get(Unit, 'web@1.service')).metadata
  await admin.delete(Unit, 'web@1.service')
  await until(async () => (await admin.get(Unit, 'web@1.service')).metadata.uid !== uid, { what: 'made anew' })
  assert.equal(counts(await progressing('web@.service', 'Complete')), [1, 1, 1, 1, 1])
  assert.is((await admin.get(Unit, 'web@.service')).spec.machineName ?? '', '')
})

test('a roll stops at the instance that fails, and goes on with other content', async () => {
  await apply('api@.service', { content: content('a'), replicas: 3 })
  await progressing('api@.service', 'Complete')
  await apply('api@.service', { content: content('fail'), replicas: 3 })
  const stopped = await progressing('api@.service', 'InstanceFailed')
  assert.equal(counts(stopped), [3, 3, 2, 2, 1])
  assert.match(
    findCondition(stopped.status?.conditions, 'Progressing')?.message ?? '',
    /^api@1\.service: failed: exit-code; 1 of 3/,
  )
  await apply('api@.service', { content: content('b'), replicas: 3 })
  assert.equal(counts(await progressing('api@.service', 'Complete')), [3, 3, 3, 3, 3])
})

test('an instance that is edited is put right, and a unit of that name that is not its own is left alone', async () => {
  await apply('job@1.service', { content: content('mine') })
  await apply('job@.service', { content: content('a'), replicas: 2 })
  const { status } = await progressing('job@.service', 'NameTaken')
  assert.match(findCondition(status?.conditions, 'Progressing')?.message ?? '', /job@1\.service; delete or rename/)
  assert.is((await admin.get(Unit, 'job@1.service')).spec.content, content('mine'))
  await admin.patch(Unit, 'job@2.service', { type: 'merge', body: { spec: { content: content('other') } } })
  await until(async () => (await admin.get(Unit, 'job@2.service')).spec.content === content('a'), { what: 'put right' })
  await admin.delete(Unit, 'job@1.service')
  assert.equal(counts(await progressing('job@.service', 'Complete')), [2, 2, 2, 2, 2])
})

test('Global is on every machine that matches, also on one that comes late, and leaves one that matches no more', async () => {
  await apply('log.service', { content: content('a', 'Global=true\nMachineMetadata=disk=ssd') })
  await instances('log.service', ['log.m1.service', 'log.m2.service'])
  await bringUp(admin, 'm3', { disk: 'ssd' })
  await instances('log.service', ['log.m1.service', 'log.m2.service', 'log.m3.service'])
  const { spec } = await admin.get(Unit, 'log.m3.service')
  assert.equal([spec.unitName, spec.machineName, spec.failover], ['log.service', 'm3', 'none'])
  assert.equal(counts(await progressing('log.service', 'Complete')), [3, 3, 3, 3, 3])
  await kubectl('label', 'machine', 'm1', 'disk-')
  await instances('log.service', ['log.m2.service', 'log.m3.service'])
  await admin.delete(Machine, 'm3')
  await instances('log.service', ['log.m2.service'])
  await kubectl('delete', 'unit', 'log.service')
  await until(async () => (await names()).length === 0, { what: 'instances gone with it' })
})

test('replicas and Global together are refused at the door', async () => {
  await apply('both.service', { content: content('a', 'Global=true'), replicas: 2 }).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, /Global cannot be used with replicas/),
  )
})

test.run()
