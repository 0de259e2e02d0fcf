/** Subnets and flannel's keys are the same thing seen through two doors of one server. */

import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import { type ApiClient, connect, isApiError } from '../../controllers/lib/client.ts'
import { ClusterRoleBinding, Event, Subnet } from '../../crds/index.ts'
import { type EtcdV2Client, etcdV2Client } from '../support/etcd-v2/json-client.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const test = suite('Subnets as etcd v2 keys')

const SUBNETS = '/coreos.com/network/subnets'
const CONFIG = '/coreos.com/network/config'
const LEASE = '{"PublicIP":"192.0.2.1","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"0a:1b:2c:3d:4e:5f"}}'

let server: ApiServer
let admin: ApiClient
let keys: EtcdV2Client

test.before(async () => {
  const options = { dataDir: tempDir(), listen: '127.0.0.1:0', legacyListen: '127.0.0.1:0' }
  server = await startApiServer({ ...options, log: pino({ level: 'silent' }) })
  admin = connect({ kubeconfigPath: server.kubeconfigPath })
  keys = etcdV2Client(server.etcdV2Url ?? '')
})
test.after(async () => {
  await admin.close()
  await server.close()
})

/** Every event below the network, from now on, as `action key`. */
async function eventsSince(index: number): Promise<string[]> {
  const now = await keys.index()
  const seen: string[] = []
  for (let at = index + 1; at <= now; ) {
    const { node, action } = await keys.watch('/coreos.com/network', { recursive: true, after: at - 1 })
    seen.push(`${action} ${node?.key}`)
    at = (node?.modifiedIndex ?? now) + 1
  }
  return seen
}

const gone = (name: string) =>
  admin.get(Subnet, name).then(
    () => false,
    (error: unknown) => isApiError(error) && error.code === 404,
  )

test("flanneld's own sequence makes, renews and ends a Subnet", async () => {
  assert.is((await keys.get(CONFIG)).errorCode, 100)
  const config = '{"Network":"10.1.0.0/16","SubnetLen":24,"Backend":{"Type":"vxlan","VNI":1}}'
  assert.is((await keys.put(CONFIG, { value: config })).action, 'set')
  const root = await admin.get(Subnet, 'flannel')
  assert.equal(root.spec, { cidr: '10.1.0.0/16', prefixLength: 24, backend: { type: 'vxlan', vni: 1 } })
  assert.is((await keys.get(CONFIG, 'quorum=true')).node?.value, config, 'as it was written, to the letter')

  const none = await keys.get(SUBNETS, 'recursive=true&quorum=true')
  assert.is(none.errorCode, 100)
  const watching = keys.watch(SUBNETS, { recursive: true, after: none.index ?? 0 })
  const key = `${SUBNETS}/10.1.5.0-24`
  const made = await keys.put(key, { value: LEASE, ttl: 86_400 }, 'prevExist=false')
  assert.is(made.action, 'create')
  assert.is((await watching).node?.value, LEASE)
  assert.is((await keys.put(key, { value: LEASE, ttl: 86_400 }, 'prevExist=false')).errorCode, 105)
  const lease = await admin.get(Subnet, '10.1.5.0-24')
  assert.is(lease.spec.parent, 'flannel')
  assert.is(lease.spec.publicIP, '192.0.2.1')
  assert.is(lease.status?.expiry, new Date(made.node?.expiration ?? '').toISOString())

  const renewed = await keys.put(key, { value: LEASE, ttl: 90_000 }, `prevIndex=${made.node?.modifiedIndex}`)
  assert.is(renewed.action, 'compareAndSwap')
  assert.is((await keys.put(key, { value: LEASE, ttl: 1 }, 'prevIndex=1')).errorCode, 101)
  const later = (await admin.get(Subnet, '10.1.5.0-24')).status?.expiry ?? ''
  assert.ok(later > (lease.status?.expiry ?? ''), later)

  const ending = keys.watch(key, { after: renewed.node?.modifiedIndex ?? 0 })
  assert.is((await keys.put(key, { ttl: 1, refresh: true }, 'prevExist=true')).action, 'update')
  assert.is((await ending).action, 'expire')
  assert.is((await keys.get(key)).errorCode, 100)
  assert.ok(await gone('10.1.5.0-24'))
})

test('an object that is made, changed and deleted is one event each', async () => {
  const spec = { cidr: '10.1.7.0/24', parent: 'flannel', publicIP: '192.0.2.7' }
  const key = `${SUBNETS}/10.1.7.0-24`
  const before = await keys.index()
  const made = await admin.create(Subnet, { metadata: { name: 'by-hand' }, spec })
  const created = await keys.watch(key, { after: before })
  assert.is(created.node?.value, '{"PublicIP":"192.0.2.7","BackendType":"host-gw"}')
  const changed = { ...made, spec: { ...spec, publicIP: '192.0.2.8' } }
  const next = await admin.update(Subnet, changed)
  const updated = await keys.watch(key, { after: created.node?.modifiedIndex ?? 0 })
  assert.is(updated.node?.createdIndex, created.node?.createdIndex)
  await admin.update(Subnet, { ...next, metadata: { ...next.metadata, labels: { a: 'b' } } })
  await admin.delete(Subnet, 'by-hand')
  await keys.watch(key, { after: updated.node?.modifiedIndex ?? 0 })
  assert.equal(await eventsSince(before), [`create ${key}`, `update ${key}`, `delete ${key}`])
})

/** How long each of a few took; the median says what is usual on a busy machine. */
async function medianMs(step: (n: number) => Promise<unknown>): Promise<number> {
  const tookMs: number[] = []
  for (let n = 0; n < 5; n++) {
    const begun = performance.now()
    await step(n)
    tookMs.push(performance.now() - begun)
  }
  return tookMs.sort((a, b) => a - b)[2] ?? Number.POSITIVE_INFINITY
}

test('either side sees the other within 200 ms', async () => {
  let index = await keys.index()
  const objectToKey = await medianMs(async (n) => {
    const spec = { cidr: `10.1.${100 + n}.0/24`, parent: 'flannel' }
    await admin.create(Subnet, { metadata: { name: `seen-${n}` }, spec })
    index = (await keys.watch(SUBNETS, { recursive: true, after: index })).node?.modifiedIndex ?? index
  })
  assert.ok(objectToKey < 200, `${objectToKey} ms`)
  const keyToObject = await medianMs(async (n) => {
    await keys.remove(`${SUBNETS}/10.1.${100 + n}.0-24`)
    assert.ok(await gone(`seen-${n}`))
  })
  assert.ok(keyToObject < 200, `${keyToObject} ms`)
})

test('a write on a key is one change of its object, and comes back as no other', async () => {
  const key = `${SUBNETS}/10.1.8.0-24`
  const stop = new AbortController()
  const told: string[] = []
  const { resourceVersion } = (await admin.list(Subnet)).metadata
  const onEvent = ({ type, object }: { type: string; object: { metadata: { name: string } } }) =>
    void told.push(`${type} ${object.metadata.name}`)
  const watching = admin
    .watch(Subnet, { resourceVersion, onEvent: onEvent as never, signal: stop.signal } as never)
    .catch(() => undefined)
  const before = await keys.index()
  await keys.put(key, { value: LEASE, ttl: 100 })
  await keys.put(key, { value: LEASE, ttl: 200 }, 'prevExist=true')
  await keys.remove(key)
  await until(() => told.length >= 3, { what: 'three changes of the object' })
  await admin.create(Subnet, { metadata: { name: 'last' }, spec: { cidr: '10.1.99.0/24', parent: 'flannel' } })
  await until(() => told.length >= 4, { what: 'the last object' })
  const name = '10.1.8.0-24'
  assert.equal(told, [`ADDED ${name}`, `MODIFIED ${name}`, `DELETED ${name}`, 'ADDED last'])
  await keys.remove(`${SUBNETS}/10.1.99.0-24`)
  const other = `${SUBNETS}/10.1.99.0-24`
  const events = [`set ${key}`, `update ${key}`, `delete ${key}`, `create ${other}`, `delete ${other}`]
  assert.equal(await eventsSince(before), events)
  stop.abort()
  await watching
})

const REFUSALS: readonly (readonly [
  what: string,
  ask: () => Promise<{ errorCode?: number; cause?: string }>,
  code: number,
  cause: RegExp,
])[] = [
  ['no JSON', () => keys.put(`${SUBNETS}/10.1.9.0-24`, { value: 'x' }), 209, /the value is not JSON/],
  ['udp', () => keys.put(`${SUBNETS}/10.1.9.0-24`, { value: '{"BackendType":"udp"}' }), 209, /"udp" is not one of/],
  ['no range', () => keys.put(`${SUBNETS}/nine`, { value: '{}' }), 209, /"nine" is not the key of a subnet/],
  ['in order', () => keys.post(SUBNETS, { value: '{}' }), 209, /not the key of a subnet/],
  ['a directory', () => keys.put(`${SUBNETS}/10.1.9.0-24`, {}, 'dir=true'), 102, /10\.1\.9\.0-24/],
  ['below the configuration', () => keys.put(`${CONFIG}/x`, { value: '1' }), 104, /network\/config/],
  ['the directory itself', () => keys.put('/coreos.com', { value: '1' }), 102, /^\/coreos.com$/],
  ['an end of everything', () => keys.put('/coreos.com', { ttl: 5 }, 'dir=true&prevExist=true'), 209, /time to live/],
]

test('what would be no object is refused in words that help, and changes nothing', async () => {
  await keys.put(`${SUBNETS}/10.1.20.0-24`, { value: LEASE })
  const before = await keys.index()
  for (const [what, ask, code, cause] of REFUSALS) {
    const answer = await ask()
    assert.is(answer.errorCode, code, what)
    assert.match(answer.cause ?? '', cause, what)
  }
  assert.is(await keys.index(), before)
})

test('a tree that is removed takes its objects along', async () => {
  await keys.put(`${SUBNETS}/10.1.21.0-24`, { value: LEASE })
  assert.is((await keys.remove(SUBNETS)).errorCode, 102)
  assert.is((await keys.remove(SUBNETS, 'recursive=true')).action, 'delete')
  const { items } = await admin.list(Subnet)
  assert.equal(
    items.map(({ metadata }) => metadata.name),
    ['flannel'],
  )
})

test('objects that cannot be shown hinder nobody, and say why in an Event', async () => {
  const create = (name: string, cidr: string) =>
    admin.create(Subnet, { metadata: { name }, spec: { cidr, parent: 'flannel' } })
  await create('first', '10.1.30.0/24')
  await until(async () => (await keys.get(`${SUBNETS}/10.1.30.0-24`)).node, { what: 'the key' })
  await create('10.1.31.0-24', 'nonsense')
  await create('zz-second', '10.1.30.0/24')
  const events = await until(
    async () => {
      const { items } = await admin.list(Event, { namespace: 'default' })
      const ours = items.filter(({ reason }) => reason === 'NotShownInEtcdV2')
      return ours.length === 2 && ours
    },
    { what: 'two events' },
  )
  const messages = events.map(({ message }) => message ?? '').sort()
  assert.match(messages[0] ?? '', /spec\.cidr "nonsense"/)
  assert.match(messages[1] ?? '', /10\.1\.30\.0-24 is already that of first/)
  // The name is taken by the bad one: the lease gets another.
  assert.is((await keys.put(`${SUBNETS}/10.1.31.0-24`, { value: LEASE })).action, 'set')
  assert.is((await admin.get(Subnet, '10.1.31.0-24-2')).spec.cidr, '10.1.31.0/24')
  for (const name of ['first', '10.1.31.0-24', 'zz-second', '10.1.31.0-24-2']) await admin.delete(Subnet, name)
})

test('an object that a finalizer holds is gone for old clients', async () => {
  const key = `${SUBNETS}/10.1.40.0-24`
  const metadata = { name: 'held', finalizers: ['example.org/held'] }
  await admin.create(Subnet, { metadata, spec: { cidr: '10.1.40.0/24', parent: 'flannel' } })
  await until(async () => (await keys.get(key)).node, { what: 'the key' })
  assert.is((await keys.remove(key)).action, 'delete')
  const held = await admin.get(Subnet, 'held')
  assert.ok(held.metadata.deletionTimestamp)
  assert.is((await keys.put(key, { value: LEASE }, 'prevExist=false')).action, 'create')
  await admin.update(Subnet, { ...held, metadata: { ...held.metadata, finalizers: [] } })
  assert.is((await keys.remove(key)).action, 'delete')
})

test('without the role nobody touches objects through keys, and plain keys stay open', async () => {
  await admin.delete(ClusterRoleBinding, 'flotilla:legacy-v2')
  const refusals = [
    keys.get(CONFIG),
    keys.get('/', 'recursive=true'),
    keys.put(`${SUBNETS}/10.1.50.0-24`, { value: LEASE }),
    keys.remove(CONFIG),
  ]
  for (const answer of await Promise.all(refusals)) {
    assert.is(answer.errorCode, 110)
    assert.match(answer.cause ?? '', /User "flotilla:legacy-v2" cannot (get|list|create|delete) resource "subnets"/)
  }
  assert.is((await keys.put('/plain', { value: '1' })).action, 'set')
  assert.is((await keys.get('/plain')).node?.value, '1')
})

test.run()
