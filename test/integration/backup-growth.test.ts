/**
 * From one machine to a cluster and back: a server moves from the embedded store to etcd and home again, under writers
 * that pause only while it moves. Real processes; the clients are those that controllers and agents use.
 */
import { join } from 'node:path'
import pino from 'pino'
import * as assert from 'uvu/assert'
import { openMemoryStore } from '../../api-server/store/memory.ts'
import { type ApiClient, connect } from '../../controllers/lib/client.ts'
import { createInformer, type Informer } from '../../controllers/lib/informer.ts'
import { ConfigMap } from '../../crds/index.ts'
import type { ObjectOf } from '../../crds/kind.ts'
import { put, write } from '../suites/store-backend.ts'
import { type EtcdMember, startEtcd } from '../support/etcd.ts'
import { flotilla, type Product, startProduct } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { type Load, startLoad, v2Tree } from './backup-load.ts'

const test = suiteOf('backup: growth', { needs: ['etcd'] })

type Maps = Informer<ObjectOf<typeof ConfigMap>>

interface Stage {
  readonly dataDir: string
  readonly etcd: EtcdMember
  /** Where the server is, whichever store it has. */
  readonly listen: readonly string[]
}

const embedded = ({ dataDir, listen }: Stage) => startProduct(['server', ...listen], { dataDir })

const onEtcd = ({ dataDir, listen, etcd }: Stage) =>
  startProduct(['server', ...listen, '--store', 'etcd', '--etcd-endpoints', etcd.url], { dataDir })

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await flotilla(args, { kubeconfig: '/nowhere' })
  assert.is(code, 0, stderr)
  return stdout
}

/** What a client can see, without the versions, which rise. */
async function objectsOf(client: ApiClient): Promise<Map<string, string>> {
  const { items } = await client.list(ConfigMap, {})
  const shown = ({ metadata: { resourceVersion: _, ...metadata }, ...rest }: (typeof items)[number]) =>
    JSON.stringify({ metadata, ...rest })
  return new Map(items.map((item) => [item.metadata.name, shown(item)]))
}

async function newestVersion(client: ApiClient): Promise<bigint> {
  return BigInt((await client.list(ConfigMap, {})).metadata.resourceVersion)
}

interface Moved {
  readonly client: ApiClient
  readonly load: Load
  readonly informer: Maps
}

/** Pauses the writers, stops the server, lets `carry` move its store, and checks that the next one goes on. */
async function move(from: Product, { client, load, informer }: Moved, carry: () => Promise<Product>): Promise<Product> {
  await load.pause()
  const before = {
    objects: await objectsOf(client),
    tree: await v2Tree(from.endpoints.etcdV2),
    at: await newestVersion(client),
  }
  await from.stop()
  const next = await carry()
  await until(async () => (await objectsOf(client)).size > 0, { what: 'the server answers again', timeoutMs: 10_000 })
  assert.equal(await objectsOf(client), before.objects)
  assert.equal(await v2Tree(next.endpoints.etcdV2), before.tree)
  for (const { metadata } of (await client.list(ConfigMap, {})).items)
    assert.ok(
      BigInt(metadata.resourceVersion ?? 0) > before.at,
      `${metadata.name} is above all that was given out before`,
    )
  load.resume()
  await load.progress()
  await until(() => informer.get('default/counter-0')?.data?.value === load.written('counter-0'), {
    what: 'the informer follows',
  })
  return next
}

/** An informer, and each version at which it told of a change. */
async function following(
  client: ApiClient,
  use: (informer: Maps, told: ReadonlyMap<string, bigint[]>) => Promise<void>,
) {
  const told = new Map<string, bigint[]>()
  const log = pino({ level: 'silent' })
  const informer: Maps = createInformer({ client, kind: ConfigMap, log, namespace: 'default' })
  informer.subscribe((key) => {
    const version = informer.get(key)?.metadata.resourceVersion
    if (version !== undefined) told.set(key, [...(told.get(key) ?? []), BigInt(version)])
  })
  const stop = new AbortController()
  const running = informer.start(stop.signal)
  try {
    await informer.ready
    await use(informer, told)
  } finally {
    stop.abort()
    await running
  }
}

async function growAndReturn(stage: Stage, first: Product, client: ApiClient): Promise<Product> {
  const { dataDir, etcd } = stage
  const [grown, home] = [join(tempDir(), 'grown'), join(tempDir(), 'home')]
  let product = first
  const load = await startLoad(client, () => product.endpoints.etcdV2 ?? '')
  await following(client, async (informer, told) => {
    await load.progress()
    product = await move(product, { client, load, informer }, async () => {
      await run('backup', grown, '--data-dir', dataDir)
      await run('restore', grown, '--data-dir', dataDir, '--store', 'etcd', '--etcd-endpoints', etcd.url)
      return onEtcd(stage)
    })
    product = await move(product, { client, load, informer }, async () => {
      await run('backup', home, '--etcd-endpoints', etcd.url)
      await run('restore', home, '--data-dir', dataDir)
      return embedded(stage)
    })
    await load.pause()
    const all = (await client.list(ConfigMap, { namespace: 'default' })).items.length
    await until(() => informer.list().length === all, { what: 'the informer has all' })
    for (const [name, value] of load.acknowledged())
      assert.is(informer.get(`default/${name}`)?.data?.value, value, name)
    for (const [key, versions] of told)
      assert.ok(
        versions.every((version, at) => at === 0 || version > (versions[at - 1] ?? 0n)),
        `each change of ${key} was told once, upwards`,
      )
  })
  await load.end()
  return product
}

test('embedded to etcd and back: object for object, index for index, and informers carry on', async () => {
  await using etcd = await startEtcd()
  const dataDir = tempDir()
  let product = await startProduct(['server'], { dataDir })
  const port = (key: string) => new URL(product.endpoints[key] ?? '').host
  const stage: Stage = { dataDir, etcd, listen: ['--listen', port('api'), '--legacy-listen', port('etcdV2')] }
  const client = connect({ kubeconfigPath: product.kubeconfig })
  try {
    product = await growAndReturn(stage, product, client)
  } finally {
    await client.close()
    await product.stop()
  }
})

test('a backup becomes the etcd that a server runs by itself, and is taken from it again while that server is stopped', async () => {
  const [file, back, dataDir] = [join(tempDir(), 'backup'), join(tempDir(), 'back'), tempDir()]
  await using store = openMemoryStore()
  await write(store, ...Array.from({ length: 100 }, (_, i) => put(`/r/core/configmaps/default/${i}`, `${i}`)))
  await store.snapshot(file)
  const anyPorts = ['--etcd-listen-client', '127.0.0.1:0', '--etcd-listen-peer', '127.0.0.1:0']
  await run('restore', file, '--data-dir', dataDir, '--store', 'etcd', '--cluster-init', ...anyPorts)
  const summary = JSON.parse(await run('backup', back, '--data-dir', dataDir, '-o', 'json'))
  assert.is(summary.objects, 100)
  assert.ok(BigInt(summary.revision) > 1_000_000_000n)
})

test('a store that a server writes to is not replaced; one that is replaced all the same ends its server with a sentence', async () => {
  await using etcd = await startEtcd()
  const stage: Stage = { dataDir: tempDir(), etcd, listen: [] }
  const file = join(tempDir(), 'backup')
  await using before = await onEtcd(stage)
  await before.admin.create(ConfigMap, { metadata: { name: 'kept', namespace: 'default' }, data: {} })
  await run('backup', file, '--data-dir', stage.dataDir)
  await before.admin.create(ConfigMap, { metadata: { name: 'lost', namespace: 'default' }, data: {} })
  const restoring = ['restore', file, '--store', 'etcd', '--etcd-endpoints', etcd.url]
  const refused = async (...more: string[]) =>
    (await flotilla([...restoring, ...more], { kubeconfig: '/nowhere' })).stderr
  assert.match(await refused(), 'already holds a store')
  assert.match(await refused('--force'), 'a server writes to the store in that etcd: stop all servers first')
  await etcd.ctl('del', '--prefix', '/flotilla/')
  await run(...restoring)
  await before.process.waitForLine(/flotilla: the store in etcd was deleted or restored meanwhile: restart this server/)
  assert.is((await before.process.exited).code, 1)
  await using after = await onEtcd(stage)
  const { items } = await after.admin.list(ConfigMap, { namespace: 'default' })
  assert.equal(items.map(({ metadata }) => metadata.name).sort(), ['kept', 'kube-root-ca.crt'].slice(0, items.length))
})

test.run()
