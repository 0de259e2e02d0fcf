/** Two servers' doors over one etcd as their store: together they answer as one etcd would. */
import pino from 'pino'
import * as assert from 'uvu/assert'
import { createEtcdV2Door } from '../../api-server/legacy/etcd-v2/door.ts'
import { listenEtcdV2 } from '../../api-server/legacy/etcd-v2/listen.ts'
import { openStore } from '../../api-server/store/open.ts'
import { type EtcdMember, startEtcd } from '../support/etcd.ts'
import { difference } from '../support/etcd-v2/difference.ts'
import type { OwnDoor } from '../support/etcd-v2/pair.ts'
import { RawConnection } from '../support/etcd-v2/raw-client.ts'
import { requestOf } from '../support/etcd-v2/written.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { within } from '../support/within.ts'
import { CASES, type Case } from './etcd-v2-cases.ts'

const test = suiteOf('two etcd v2 doors over one etcd', { needs: ['etcd'] })
const log = pino({ level: 'silent' })
let store: EtcdMember
let reference: EtcdMember
let doors: readonly OwnDoor[]
let ours: readonly RawConnection[]
let theirs: RawConnection

async function openDoor(): Promise<OwnDoor> {
  const opened = await openStore('etcd', { dataDir: tempDir(), log, etcd: { endpoints: [store.url] } })
  const door = await createEtcdV2Door({ store: opened, log, clientUrls: () => [], strict: true })
  const listener = await listenEtcdV2(door, { host: '127.0.0.1', port: 0 })
  const close = async () => {
    await door.close()
    await listener.close()
    await opened[Symbol.asyncDispose]()
  }
  return { url: listener.url, [Symbol.asyncDispose]: close }
}

test.before(async () => {
  ;[store, reference] = await Promise.all([startEtcd(), startEtcd({ args: ['--enable-v2'] })])
  // Both begin on an empty store at the same time.
  doors = await Promise.all([openDoor(), openDoor()])
  ours = await Promise.all(doors.map(({ url }) => RawConnection.open(url)))
  theirs = await RawConnection.open(reference.url)
})
test.after(async () => {
  for (const connection of [...ours, theirs]) connection.close()
  await Promise.all(doors.map((door) => door[Symbol.asyncDispose]()))
  await Promise.all([store, reference].map((member) => member[Symbol.asyncDispose]()))
})

/** Each request goes to the other door than the one before, once that door has heard of what was answered there. */
async function differences(cases: readonly Pick<Case, 'requests' | 'contentType'>[]): Promise<string[]> {
  const found: string[] = []
  let turn = 0
  for (const { requests, contentType } of cases)
    for (const line of requests) {
      const connection = ours[turn++ % 2]
      assert.ok(connection)
      const request = requestOf(line, contentType)
      await connection.ask({ method: 'GET', target: '/v2/keys/_none?quorum=true' })
      const [mine, other] = await Promise.all([connection.ask(request), theirs.ask(request)])
      const differs = difference({ ours: mine, theirs: other }, line.includes('sorted'))
      if (differs !== undefined) found.push(`${line}: ${differs}`)
    }
  return found
}

test('every written case, asked of the two in turns, is answered as by one etcd', async () => {
  assert.equal(await differences(CASES), [])
})

test('what is written at one is told to the watchers at the other, each change once and in order', async () => {
  const [one, other] = doors
  assert.ok(one && other)
  const leave = new AbortController()
  const watch = async ({ url }: OwnDoor) => {
    const answer = await fetch(`${url}/v2/keys/crossing?wait=true&stream=true&recursive=true`, { signal: leave.signal })
    return (answer.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())
  }
  const streams = await Promise.all([watch(one), watch(other)])
  const put = async (url: string, i: number) => {
    const answer = await fetch(`${url}/v2/keys/crossing/${i}`, {
      method: 'PUT',
      body: new URLSearchParams({ value: 'x' }),
    })
    return ((await answer.json()) as { node: { modifiedIndex: number } }).node.modifiedIndex
  }
  const numbers = Array.from({ length: 80 }, (_, i) => i)
  const written = await Promise.all(numbers.map((i) => put(i % 2 === 0 ? one.url : other.url, i)))
  const expected = written.toSorted((a, b) => a - b)
  assert.is(new Set(written).size, 80, 'no index twice')
  for (const stream of streams) assert.equal(await indicesOf(stream, 80), expected)
  leave.abort()
})

async function indicesOf(stream: ReadableStream<string>, count: number): Promise<number[]> {
  let text = ''
  const reader = stream.getReader()
  while (text.split('\n').length <= count) text += (await within(5_000, reader.read(), 'an event')).value ?? ''
  return [...text.matchAll(/^\{"action":"set".*?"modifiedIndex":(\d+)/gm)].map(([, index]) => Number(index))
}

test('users and roles made at one count at the other, and at servers that start later; no key shows them', async () => {
  const [one, other] = doors
  assert.ok(one && other)
  const ask = (url: string, method: string, path: string, body?: object, who?: string) => {
    const headers = who ? { authorization: `Basic ${Buffer.from(who).toString('base64')}` } : {}
    return fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  }
  await ask(one.url, 'PUT', '/v2/auth/users/root', { user: 'root', password: 'p4ssw0rd' })
  const both = ['one', 'other'].map((role, i) =>
    ask(doors[i]?.url ?? '', 'PUT', '/v2/auth/users/root', { user: 'root', grant: [role] }),
  )
  for (const answer of await Promise.all(both)) assert.is(answer.status, 200, 'neither grant undoes the other')
  await ask(one.url, 'PUT', '/v2/auth/enable')
  await until(async () => (await ask(other.url, 'GET', '/v2/auth/users')).status === 401, { what: 'the other to know' })
  await using late = await openDoor()
  for (const { url } of [other, late]) {
    assert.is((await ask(url, 'GET', '/v2/auth/users', undefined, 'root:wrong')).status, 401)
    const users = await (await ask(url, 'GET', '/v2/auth/users/root', undefined, 'root:p4ssw0rd')).text()
    assert.is(users, '{"message":"auth: Role one does not exist."}')
    for (const path of ['/v2/keys/?recursive=true', '/v2/keys/?recursive=true&wait=true&waitIndex=1', '/v2/keys/_auth'])
      assert.not.match(await (await ask(url, 'GET', path, undefined, 'root:p4ssw0rd')).text(), /scrypt|p4ssw0rd|users/)
  }
  assert.not.match(await store.ctl('get', '', '--prefix'), /p4ssw0rd/)
  assert.is((await ask(late.url, 'DELETE', '/v2/auth/enable', undefined, 'root:p4ssw0rd')).status, 200)
})

test.run()
