import { once } from 'node:events'
import { createServer } from 'node:net'
import { KubeConfig } from '@kubernetes/client-node'
import pino from 'pino'
import * as assert from 'uvu/assert'
import { MACHINES_GROUP } from '../../api-server/auth/identity.ts'
import { openPki } from '../../api-server/auth/pki.ts'
import { connect } from '../../controllers/lib/client.ts'
import { EndpointSlice } from '../../crds/core/endpoint-slice.ts'
import { Machine } from '../../crds/machine.ts'
import { type Forward, forwardEtcdV2 } from '../../node-agent/etcd-v2-forward/forward.ts'
import { etcdV2Forwards } from '../../node-agent/etcd-v2-forward/index.ts'
import { knownServers } from '../../node-agent/etcd-v2-forward/known-servers.ts'
import { createServerList, type ServerAddress } from '../../node-agent/etcd-v2-forward/server-list.ts'
import { runProcess } from '../support/process.ts'
import { type Product, startProduct } from '../support/product.ts'
import { commandPath, suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { within } from '../support/within.ts'

const test = suiteOf("a machine's etcd v2 before a real API server", { needs: ['etcd'] })
const log = pino({ level: 'silent' })
const NOWHERE: ServerAddress = { host: '127.0.0.1', port: 1, serverName: 'flotilla' }
let product: Product

test.before(async () => {
  product = await startProduct(['server', '--legacy-listen', '127.0.0.1:0'])
})
test.after(async () => void (await product.stop()))

function server(): ServerAddress {
  return { host: '127.0.0.1', port: Number(new URL(product.endpoints.api ?? '').port), serverName: 'flotilla' }
}

/** The administrator's: a certificate of our authority, as a machine's is. */
function certificate(): { cert: string; key: string; ca: string } {
  const config = new KubeConfig()
  config.loadFromFile(product.kubeconfig)
  const text = (base64 = ''): string => Buffer.from(base64, 'base64').toString()
  const [user, cluster] = [config.getCurrentUser(), config.getCurrentCluster()]
  return { cert: text(user?.certData), key: text(user?.keyData), ca: text(cluster?.caData) }
}

/** What a machine called m1 has. */
async function machineCertificate(): Promise<{ cert: string; key: string; ca: string }> {
  const pki = await openPki(product.dataDir)
  const {
    certificate: cert,
    key,
    keyHash,
  } = await pki.issueClient({
    commonName: 'machine:m1',
    organizations: [MACHINES_GROUP],
  })
  await product.admin.create(Machine, { metadata: { name: 'm1' } })
  const body = { status: { keyHashes: [keyHash] } }
  await product.admin.patch(Machine, 'm1', { type: 'merge', subresource: 'status', body })
  return { cert, key, ca: pki.caCertificate }
}

const forwardTo = (...servers: ServerAddress[]): Promise<Forward> =>
  forwardEtcdV2({ host: '127.0.0.1', port: 0, servers: createServerList(servers), tls: certificate() })

test('keys written and awaited on the machine are those of the API server', async () => {
  const forward = await forwardTo(NOWHERE, server())
  const url = `http://127.0.0.1:${forward.port}/v2/keys/m`
  const waiting = await within(2_000, fetch(`${url}?wait=true`), 'the head of the wait')
  assert.is((await fetch(url, { method: 'PUT', body: new URLSearchParams({ value: 'here' }) })).status, 201)
  assert.match(await waiting.text(), /"action":"set".*"value":"here"/)
  assert.match(await (await fetch(`${product.endpoints.etcdV2}/v2/keys/m`)).text(), /"value":"here"/)
  await forward.close()
})

test("etcdctl on a machine finds the addresses it can reach, and etcd's version and health", async () => {
  const [list, tls] = [createServerList([server()]), await machineCertificate()]
  const forward = await forwardEtcdV2({ host: '127.0.0.1', port: 0, servers: list, tls })
  const url = `http://127.0.0.1:${forward.port}`
  const etcdctl = (...args: string[]) =>
    runProcess([commandPath('etcdctl') ?? 'etcdctl', '--endpoints', url, ...args], { env: { ETCDCTL_API: '2' } })
  const done = await etcdctl('set', '/from', 'm1')
  assert.is(done.stdout, 'm1\n', done.stderr)
  assert.match((await etcdctl('member', 'list')).stdout, ` clientURLs=${url} `)
  assert.match((await etcdctl('cluster-health')).stdout, `healthy result from ${url}\ncluster is healthy`)
  assert.is(await (await fetch(`${url}/v2/machines`)).text(), url)
  assert.match(await (await fetch(`${url}/version`)).text(), /"etcdserver":"3\.4/)
  await forward.close()
})

test('nothing but /v2 of the API server is within reach of its certificate', async () => {
  const forward = await forwardTo(server())
  for (const path of ['/api/v1/secrets', '/apis', '/openapi/v2', '/metrics'])
    assert.is((await fetch(`http://127.0.0.1:${forward.port}${path}`)).status, 404)
  await forward.close()
})

/** Runs `knownServers` until its list is `expected`, in order. */
async function learns(dataDir: string, client: Product['admin'], expected: readonly number[]): Promise<void> {
  const list = createServerList([NOWHERE])
  const stop = new AbortController()
  const running = knownServers({ client, dataDir, configured: NOWHERE, list, log, askEveryMs: 20 }).start(stop.signal)
  const ports = (): string =>
    list
      .inOrder()
      .map(({ port }) => port)
      .join()
  await until(() => ports() === expected.join(), { what: `servers ${expected}` })
  stop.abort()
  await running
}

test('servers are learnt from EndpointSlice default/flotilla, and known without it after a restart', async () => {
  const dataDir = tempDir()
  await learns(dataDir, product.admin, [1])
  const slice = { addressType: 'IPv4' as const, endpoints: [{ addresses: ['10.0.0.2'] }], ports: [{ port: 7443 }] }
  await product.admin.create(EndpointSlice, { metadata: { name: 'flotilla', namespace: 'default' }, ...slice })
  await learns(dataDir, product.admin, [1, 7443])
  const config = new KubeConfig()
  config.loadFromClusterAndUser(
    { name: 'none', server: 'http://127.0.0.1:1', skipTLSVerify: false },
    { name: 'nobody' },
  )
  const cutOff = connect({ kubeconfig: config })
  await learns(dataDir, cutOff, [1, 7443])
  await cutOff.close()
})

test('a taken address is a warning, not the end of the agent, and is taken over when it is free', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const said: string[] = []
  const heard = pino({ level: 'warn' }, { write: (line) => void said.push(line) })
  const options = { listen: [{ host: '127.0.0.1', port }], server: server(), tls: certificate() }
  const parts = etcdV2Forwards({ ...options, client: product.admin, dataDir: tempDir(), log: heard, retryMs: 20 })
  const stop = new AbortController()
  const running = Promise.all(parts.map((part) => part.start(stop.signal)))
  await until(() => said.length > 0, { what: 'the warning' })
  other.close()
  await until(async () => (await fetch(`http://127.0.0.1:${port}/v2/keys/`)).ok, { what: 'etcd v2 on the address' })
  assert.is(said.length, 1, 'said once')
  stop.abort()
  await within(2_000, running, 'the parts to end')
})

test.run()
