/** Two API servers, as processes of their own, over one etcd. */
import * as assert from 'uvu/assert'
import type { ApiClient } from '../../controllers/lib/client.ts'
import { isApiError } from '../../controllers/lib/client.ts'
import { ConfigMap } from '../../crds/index.ts'
import { type EtcdMember, startEtcd } from '../support/etcd.ts'
import { type Finished, runProcess } from '../support/process.ts'
import { BUNDLE, type Product, startProduct } from '../support/product.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const ROUNDS = 40
const IN = { namespace: 'default' }

interface Servers {
  etcd: EtcdMember
  one: Product
  other: Product
  /** One whose etcd is not there; it keeps trying while the others are tested. */
  lonely: Promise<Finished>
}

const servers = {} as Servers
const test = suiteOf('API servers on etcd', { needs: ['etcd'] })

test.before(async () => {
  servers.etcd = await startEtcd()
  const args = ['server', '--store', 'etcd', '--etcd-endpoints', servers.etcd.url]
  // Both begin the store at the same time.
  const started = await Promise.all([startProduct(args), startProduct(args)])
  ;[servers.one, servers.other] = started
  const flags = ['--store', 'etcd', '--etcd-endpoints', 'http://127.0.0.1:1', '--listen', '127.0.0.1:0']
  const argv = [process.execPath, BUNDLE, 'server', ...flags, '--data-dir', tempDir()]
  servers.lonely = runProcess(argv, { timeoutMs: 25_000 })
})

test.after(async () => {
  await Promise.all([servers.one.stop(), servers.other.stop()])
  await servers.etcd[Symbol.asyncDispose]()
})

const create = (client: ApiClient, name: string) =>
  client.create(ConfigMap, { metadata: { name }, data: { n: '0' } }, IN)

test('what one server has answered, the other one reads at once: created, changed, deleted', async () => {
  const [one, other] = [servers.one.admin, servers.other.admin]
  for (let i = 0; i < ROUNDS; i++) {
    const name = `seen-${i}`
    const created = await create(one, name)
    const read = await other.get(ConfigMap, name, IN)
    assert.is(read.metadata.resourceVersion, created.metadata.resourceVersion)
    // The version is the other server's word.
    const changed = await one.update(ConfigMap, { ...read, data: { n: '1' } }, IN)
    const { items, metadata } = await other.list(ConfigMap, { ...IN, fieldSelector: `metadata.name=${name}` })
    assert.equal(items[0], changed)
    assert.ok(BigInt(metadata.resourceVersion) >= BigInt(changed.metadata.resourceVersion ?? 0))
    await other.delete(ConfigMap, name, IN)
    const gone = await one.get(ConfigMap, name, IN).catch((error: unknown) => error)
    assert.ok(isApiError(gone) && gone.code === 404)
  }
})

test('an update that was worked out from the other server is no conflict', async () => {
  const [one, other] = [servers.one.admin, servers.other.admin]
  let current = await create(one, 'turns')
  for (let i = 1; i <= ROUNDS; i++) {
    current = await (i % 2 ? other : one).update(ConfigMap, { ...current, data: { n: String(i) } }, IN)
  }
  assert.is((await other.get(ConfigMap, 'turns', IN)).data?.n, String(ROUNDS))
})

test('a watch on the other server tells everything once and in order', async () => {
  const [one, other] = [servers.one.admin, servers.other.admin]
  const { resourceVersion } = (await other.list(ConfigMap, IN)).metadata
  const stop = new AbortController()
  const told: string[] = []
  const onEvent = ({
    type,
    object,
  }: {
    type: string
    object: { metadata: { name: string; resourceVersion?: string } }
  }) => void told.push(`${type} ${object.metadata.name} ${object.metadata.resourceVersion}`)
  const watching = other.watch(ConfigMap, { ...IN, resourceVersion, signal: stop.signal, onEvent })
  const written: string[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const { metadata } = await create(i % 2 ? one : other, `told-${i}`)
    written.push(`ADDED ${metadata.name} ${metadata.resourceVersion}`)
  }
  await until(() => told.length >= ROUNDS, { what: 'all events' })
  stop.abort()
  await watching.catch(() => undefined)
  assert.equal(told, written)
})

test('where no endpoint answers, the server says so in a sentence and ends', async () => {
  const { code, stderr } = await servers.lonely
  assert.is.not(code, 0)
  assert.match(stderr, /no etcd endpoint answers: http:\/\/127\.0\.0\.1:1 \(connect ECONNREFUSED/)
  assert.not.match(stderr, / {4}at /)
})

test.run()
