/** Two servers on one etcd: keys and objects are written through all four doors at once, and stay the same thing. */
import pino from 'pino'
import * as assert from 'uvu/assert'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import type { Registry } from '../../api-server/registry/registry.ts'
import { startRegistry, type Undo } from '../../api-server/running-registry.ts'
import { openStore } from '../../api-server/store/open.ts'
import { connect } from '../../controllers/lib/client.ts'
import { Subnet } from '../../crds/index.ts'
import type { Kind } from '../../crds/kind.ts'
import { type EtcdMember, startEtcd } from '../support/etcd.ts'
import { etcdV2Client } from '../support/etcd-v2/json-client.ts'
import { type Door, keysAsText, objectsAsText, rival } from '../support/etcd-v2/subnet-rivals.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const test = suiteOf('Subnets as etcd v2 keys, on two servers', { needs: ['etcd'] })
const log = pino({ level: 'silent' })
const RACE_MS = 2_000

interface Servers {
  etcd: EtcdMember
  servers: ApiServer[]
  doors: Door[]
}
const held = {} as Servers

async function start(): Promise<void> {
  const options = { store: 'etcd', etcd: { endpoints: [held.etcd.url] }, listen: '127.0.0.1:0', log } as const
  const one = () => startApiServer({ ...options, dataDir: tempDir(), legacyListen: '127.0.0.1:0' })
  held.servers = [await one(), await one()]
  held.doors = held.servers.map(({ kubeconfigPath, etcdV2Url = '' }) => ({
    admin: connect({ kubeconfigPath }),
    keys: etcdV2Client(etcdV2Url),
  }))
}

async function stop(): Promise<void> {
  await Promise.all(held.doors.map(({ admin }) => admin.close()))
  await Promise.all(held.servers.map((server) => server.close()))
}

test.before(async () => {
  held.etcd = await startEtcd()
  await start()
})
test.after(async () => {
  await stop()
  await held.etcd[Symbol.asyncDispose]()
})

function doors(): readonly [Door, Door] {
  const [one, other] = held.doors
  if (one === undefined || other === undefined) throw new Error('two servers were to be started')
  return [one, other]
}

test('whatever four doors write at once, keys and objects end up the same, on both servers', async () => {
  const [one, other] = doors()
  const before = await one.keys.index()
  const rivals = [one, one, other, other].map((door, at) => rival(door, at + 1, AbortSignal.timeout(RACE_MS)))
  const written = (await Promise.all(rivals)).reduce((sum, each) => sum + each)
  assert.ok(written > 10, `only ${written} writes went through`)
  await until(
    async () => {
      assert.equal(await keysAsText(one.keys), await objectsAsText(other.admin))
      assert.equal(await keysAsText(other.keys), await objectsAsText(one.admin))
      return true
    },
    { what: 'keys and objects that agree' },
  )
  // Changes of an object that come fast may be told as one; an echo would be one more.
  const told = (await one.keys.index()) - before
  assert.ok(told > 0 && told <= written, `${written} writes, ${told} events`)
})

const TYPE = { apiVersion: Subnet.apiVersion, kind: Subnet.kind }

/** A registry of its own on the same store, with no door to old clients. */
async function writeWithoutDoor(write: (registry: Registry) => Promise<unknown>): Promise<void> {
  const undo: Undo[] = []
  await using store = await openStore('etcd', { dataDir: tempDir(), log, etcd: { endpoints: [held.etcd.url] } })
  const { registry } = await startRegistry(store, log, undo)
  await write(registry)
  for (const close of undo) await close()
}

test('what changed while no server ran is told once, when one does', async () => {
  const [one] = doors()
  for (const { metadata } of (await one.admin.list(Subnet)).items) await one.admin.delete(Subnet, metadata.name)
  const spec = { cidr: '10.1.60.0/24', parent: 'flannel' }
  await until(async () => (await keysAsText(one.keys)).length === 0, { what: 'no keys' })
  const before = await one.keys.index()
  await stop()
  await writeWithoutDoor((registry) =>
    registry.create(Subnet as Kind, undefined, structuredClone({ ...TYPE, metadata: { name: 'made-unseen' }, spec })),
  )
  await start()
  const [again, twin] = doors()
  assert.equal(await keysAsText(again.keys), ['10.1.60.0-24 undefined -'])
  assert.equal(await keysAsText(twin.keys), ['10.1.60.0-24 undefined -'])
  assert.is(await again.keys.index(), before + 1)
})

test.run()
