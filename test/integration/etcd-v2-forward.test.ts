import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { openPki } from '../../api-server/auth/pki.ts'
import { type Forward, type ForwardLimits, forwardEtcdV2 } from '../../node-agent/etcd-v2-forward/forward.ts'
import { createServerList } from '../../node-agent/etcd-v2-forward/server-list.ts'
import { type EtcdMember, startEtcd } from '../support/etcd.ts'
import { type FaultyNetwork, openFaultyNetwork } from '../support/faulty-network.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { within } from '../support/within.ts'
import { etcdctl } from './lock/contender.ts'

const test = suiteOf("etcd v2 on a machine's loopback", { needs: ['etcd'] })
const LIMITS = { connectMs: 400, headMs: 800 }
let tls: { cert: string; key: string; ca: string }
let etcd: EtcdMember

test.before(async () => {
  const dir = tempDir()
  const pki = await openPki(dir)
  const names = { dnsNames: ['flotilla'], ipAddresses: ['127.0.0.1'] }
  const pair = await pki.issueClient({ commonName: 'machine:m1', organizations: ['flotilla:machines'], ...names })
  tls = { cert: pair.certificate, key: pair.key, ca: pki.caCertificate }
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 })
    return join(dir, name)
  }
  const files = { ca: file('ca', tls.ca), certificate: file('cert', tls.cert), key: file('key', tls.key) }
  etcd = await startEtcd({ tls: { server: files, client: files }, args: ['--enable-v2'] })
})
test.after(async () => etcd[Symbol.asyncDispose]())

interface Scene extends AsyncDisposable {
  readonly url: string
  readonly forward: Forward
  /** The ways to the one etcd, each a server to the forwarder. */
  readonly servers: readonly FaultyNetwork[]
}

async function scene(serverCount = 1, limits: Partial<ForwardLimits> = LIMITS): Promise<Scene> {
  const port = Number(new URL(etcd.url).port)
  const servers = await Promise.all(Array.from({ length: serverCount }, () => openFaultyNetwork(port)))
  const list = createServerList(servers.map((way) => ({ host: '127.0.0.1', port: way.port, serverName: 'flotilla' })))
  const forward = await forwardEtcdV2({ host: '127.0.0.1', port: 0, servers: list, tls, limits })
  return {
    url: `http://127.0.0.1:${forward.port}`,
    ...{ forward, servers },
    [Symbol.asyncDispose]: async () => {
      await forward.close()
      await Promise.all(servers.map((way) => way.shut()))
    },
  }
}

const put = (url: string, key: string, value: string): Promise<Response> =>
  fetch(`${url}/v2/keys${key}`, { method: 'PUT', body: new URLSearchParams({ value }) })
const jsonOf = async (response: Response) => (await response.json()) as Record<string, unknown>
const textOf = async (response: Response): Promise<string> =>
  ((await jsonOf(response)).node as { readonly value: string }).value
async function watchers(url: string): Promise<unknown> {
  return (await jsonOf(await fetch(`${url}/v2/stats/store`))).watchers
}

test("etcdctl works through it, and answers carry etcd's own headers", async () => {
  await using it = await scene()
  assert.is((await etcdctl(it.url, 'set', '/a/b', 'one')).stdout.trim(), 'one')
  assert.is((await etcdctl(it.url, 'get', '/a/b')).stdout.trim(), 'one')
  assert.is((await etcdctl(it.url, 'get', '/nothing')).code, 4)
  const answer = await fetch(`${it.url}/v2/keys/a/b`)
  for (const name of ['x-etcd-cluster-id', 'x-etcd-index', 'x-raft-index', 'x-raft-term'])
    assert.match(answer.headers.get(name) ?? '', /^\w+$/, name)
  assert.is(answer.headers.get('content-type'), 'application/json')
  assert.match(await (await fetch(`${it.url}/version`)).text(), /"etcdserver":"3\.4/)
  assert.equal(await (await fetch(`${it.url}/health`)).json(), { health: 'true' })
})

test('the head of a wait comes at once, its event when it happens', async () => {
  await using it = await scene()
  const waiting = await within(2_000, fetch(`${it.url}/v2/keys/w?wait=true`), 'the head of the wait')
  await put(it.url, '/w', 'now')
  assert.is(await textOf(waiting), 'now')
})

test('a stream goes on from event to event, and its end frees the watcher', async () => {
  await using it = await scene()
  const before = Number(await watchers(it.url))
  const leave = new AbortController()
  const stream = await fetch(`${it.url}/v2/keys/s?wait=true&stream=true&recursive=true`, { signal: leave.signal })
  const reader = (stream.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader()
  for (const value of ['1', '2', '3']) {
    await put(it.url, `/s/${value}`, value)
    assert.match((await within(2_000, reader.read(), 'an event')).value ?? '', `"value":"${value}"`)
  }
  assert.is(await watchers(it.url), before + 1)
  leave.abort()
  await reader.read().catch(() => undefined)
  await until(async () => (await watchers(it.url)) === before, { what: 'the watcher gone' })
})

test('a wait that loses its server ends empty, as etcd ends it, so that clients ask again', async () => {
  await using it = await scene()
  const waiting = await fetch(`${it.url}/v2/keys/lost?wait=true`)
  it.servers[0]?.cut()
  assert.is(await within(2_000, waiting.text(), 'the end of the wait'), '')
})

test('values of many megabytes go through both ways', async () => {
  await using it = await scene(1, {})
  const value = 'x'.repeat(6 * 1024 * 1024)
  assert.is((await put(it.url, '/large', value)).status, 201)
  assert.is((await textOf(await fetch(`${it.url}/v2/keys/large`))).length, value.length)
  await fetch(`${it.url}/v2/keys/large`, { method: 'DELETE' })
})

test('a server that is gone is left for the next, writes included', async () => {
  await using it = await scene(2)
  assert.is((await put(it.url, '/f', '1')).status, 201)
  await it.servers[0]?.shut()
  assert.is((await put(it.url, '/f', '2')).status, 200)
  assert.is(await textOf(await fetch(`${it.url}/v2/keys/f`)), '2')
})

test('a server that is silent is left within its deadline; a write it may have taken is not sent twice', async () => {
  await using it = await scene(2)
  assert.is((await put(it.url, '/doubt', '1')).status, 201)
  it.servers[0]?.swallow()
  const refused = await put(it.url, '/doubt', '2')
  assert.is(refused.status, 503)
  const { errorCode, message, cause, index } = await jsonOf(refused)
  assert.equal([errorCode, message, index], [300, 'Raft Internal Error', 0])
  assert.match(String(cause), /no answer in time/)
  const begun = performance.now()
  assert.is(await textOf(await fetch(`${it.url}/v2/keys/doubt`)), '1')
  assert.is((await put(it.url, '/doubt', '3')).status, 200)
  assert.ok(performance.now() - begun < 2 * (LIMITS.connectMs + LIMITS.headMs))
})

test('where no server answers, etcd v2 clients read why', async () => {
  await using it = await scene(2)
  await Promise.all(it.servers.map((way) => way.shut()))
  const answer = await fetch(`${it.url}/v2/keys/a`)
  assert.is(answer.status, 503)
  assert.match(String((await jsonOf(answer)).cause), /ECONNREFUSED.*ECONNREFUSED/)
  assert.is((await put(it.url, '/a', 'x'.repeat(100_000))).status, 503)
  const health = await fetch(`${it.url}/health`)
  assert.equal([health.status, await health.json()], [503, { health: 'false' }])
  assert.match((await etcdctl(it.url, 'get', '/a')).stderr, /Raft Internal Error|cluster is unavailable/)
})

/** Everything that comes until `count` bodies have come. */
async function exchange(socket: Socket, text: string, done: (received: string) => boolean): Promise<string> {
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    received += chunk
  })
  socket.write(text)
  await until(() => done(received), { what: 'all answers' })
  return received
}

const pipelined = (method: string, body = ''): string =>
  `${method} /v2/keys/p HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`

test('requests sent ahead on one connection are carried out in their order', async () => {
  await using it = await scene()
  const socket = connect(it.forward.port, '127.0.0.1')
  const requests = Array.from({ length: 8 }, (_, i) => pipelined('PUT', `value=v${i}`) + pipelined('GET'))
  const all = (text: string): boolean => text.split('"action":"get"').length === 9
  const received = await exchange(socket, requests.join(''), all)
  const gets = [...received.matchAll(/"action":"get","node":\{"key":"\/p","value":"(v\d)"/g)].map(([, value]) => value)
  assert.equal(gets, ['v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7'])
  socket.destroy()
})

test('nothing but etcd v2 can be asked for', async () => {
  await using it = await scene()
  for (const path of ['/api/v1/secrets', '/v2/../api/v1/secrets', '/v2/%2e%2e/metrics', '/v3/kv/range']) {
    const socket = connect(it.forward.port, '127.0.0.1')
    const text = `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
    assert.match(await exchange(socket, text, (answer) => answer.includes('not found')), /^HTTP\/1\.1 404 /)
    socket.destroy()
  }
  assert.is(it.servers[0]?.open, 0)
})

test('connections beyond the limit are closed, and those before go on', async () => {
  await using it = await scene(1, { connections: 2 })
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => connect(it.forward.port, '127.0.0.1')))
  await within(2_000, once(third as Socket, 'close'), 'the end of the third')
  assert.match(await exchange(first as Socket, pipelined('GET'), (text) => text.includes('}')), /^HTTP\/1\.1 \d+ /)
  first?.destroy()
  second?.destroy()
})

test.run()
