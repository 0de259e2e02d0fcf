import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type EtcdMember, startEtcd } from '../support/etcd.ts'
import { runProcess, startProcess } from '../support/process.ts'
import { BUNDLE } from '../support/product.ts'
import { commandPath, suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { etcdctl } from './lock/contender.ts'

const test = suiteOf("flotilla discovery and etcd's own discovery", { needs: ['etcd'] })
const START_TIMEOUT_MS = 20_000
let registry: EtcdMember

test.before(async () => {
  registry = await startEtcd({ args: ['--enable-v2'] })
})
test.after(async () => registry[Symbol.asyncDispose]())

const discovery = (...args: string[]) => runProcess([process.execPath, BUNDLE, 'discovery', 'new', ...args])

/** All are held until the last is known, so that none comes twice. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

/** A new member that knows nothing but the URL; port 0 would not do, since others must know the peer's port. */
async function startMember(name: string, url: string, [client, peer]: readonly [number, number]) {
  const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
  const running = await startProcess([
    ...[commandPath('etcd') ?? 'etcd', '--name', name, '--data-dir', join(tempDir(), name), '--discovery', url],
    ...['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl, '--log-level', 'error'],
    ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl, '--enable-v2'],
  ])
  return { clientUrl, stop: () => running.stop('SIGKILL') }
}

test('three etcd become one cluster by a URL that flotilla made', async () => {
  const { stdout, code } = await discovery('--size', '3', '--endpoint', registry.url)
  assert.is(code, 0)
  assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\/v2\/keys\/_etcd\/registry\/[0-9a-f]{32}\n$/)
  const ports = await freePorts(6)
  const pair = (at: number): [number, number] => [ports[at] ?? 0, ports[at + 1] ?? 0]
  const starting = [0, 2, 4].map((at) => startMember(`m${at}`, stdout.trim(), pair(at)))
  const members = await Promise.all(starting)
  try {
    const { clientUrl } = members[0] ?? { clientUrl: '' }
    const isOne = async () => (await etcdctl(clientUrl, 'member', 'list')).stdout.trim().split('\n').length === 3
    await until(isOne, { what: 'three members', timeoutMs: START_TIMEOUT_MS })
    assert.is((await etcdctl(clientUrl, 'set', '/a', 'quorum')).stdout.trim(), 'quorum')
  } finally {
    await Promise.all(members.map(({ stop }) => stop()))
  }
})

test('what cannot be meant, or reached, is said in a sentence', async () => {
  const none = await discovery('--size', '0', '--endpoint', registry.url)
  assert.is(none.code, 1)
  assert.match(none.stderr, /--size 0: give a whole number/)
  const nobody = await discovery('--size', '3', '--endpoint', 'http://127.0.0.1:1')
  assert.is(nobody.code, 1)
  assert.match(nobody.stderr, /http:\/\/127\.0\.0\.1:1 does not answer: ECONNREFUSED/)
})

test.run()
