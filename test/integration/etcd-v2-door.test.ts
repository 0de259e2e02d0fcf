/** What the door does that etcd does not, and what it withstands. */
import { randomBytes } from 'node:crypto'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createEtcdV2Door } from '../../api-server/legacy/etcd-v2/door.ts'
import { listenEtcdV2 } from '../../api-server/legacy/etcd-v2/listen.ts'
import { openStore } from '../../api-server/store/open.ts'
import type { Store } from '../../api-server/store/store.ts'
import { type OwnDoor, startDoor } from '../support/etcd-v2/pair.ts'
import { RawConnection, requestBytes } from '../support/etcd-v2/raw-client.ts'
import { seeded } from '../support/random.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const test = suite('the etcd v2 door')
const log = pino({ level: 'silent' })

interface Answer {
  readonly errorCode?: number
  readonly index?: number
  readonly cause?: string
  readonly action?: string
  readonly node?: { readonly value?: string; readonly modifiedIndex?: number; readonly nodes?: readonly unknown[] }
}

async function ask(
  door: { url: string },
  method: string,
  path: string,
  form?: Record<string, string>,
): Promise<Answer> {
  const body = form && new URLSearchParams(form)
  const answer = await fetch(`${door.url}${path}`, { method, ...(body && { body }) })
  return (await answer.json()) as Answer
}

async function doorOn(
  store: Store,
  options: { readonly strict?: boolean; readonly maxEvents?: number } = {},
): Promise<OwnDoor> {
  const { strict = false, maxEvents = 100_000 } = options
  const logBounds = { maxEvents, maxBytes: 1_000_000_000 }
  const door = await createEtcdV2Door({ store, log, clientUrls: () => [], strict, logBounds })
  const listener = await listenEtcdV2(door, { host: '127.0.0.1', port: 0 })
  const close = async () => {
    await door.close()
    await listener.close()
  }
  return { url: listener.url, [Symbol.asyncDispose]: close }
}

async function putMany(door: { url: string }, count: number): Promise<void> {
  const connection = await RawConnection.open(door.url)
  const headers = [['Content-Type', 'application/x-www-form-urlencoded']] as const
  for (let i = 0; i < count; i += 1)
    connection.send({ method: 'PUT', target: `/v2/keys/many/${i % 50}`, headers, body: `value=${i}` })
  for (let i = 0; i < count; i += 1) await connection.answer('PUT')
  connection.close()
}

test('history does not end after a thousand changes, nor at a restart; strictly it does', async () => {
  await using store = await openStore('embedded', { dataDir: tempDir(), log })
  {
    await using door = await doorOn(store)
    await ask(door, 'PUT', '/v2/keys/first', { value: '1' })
    await putMany(door, 1_500)
    assert.is((await ask(door, 'GET', '/v2/keys/first?wait=true&waitIndex=4')).node?.value, '1')
  }
  await using again = await doorOn(store)
  assert.is((await ask(again, 'GET', '/v2/keys/first?wait=true&waitIndex=1')).node?.value, '1')
  assert.is((await ask(again, 'GET', '/v2/keys/many?recursive=true&wait=true&waitIndex=700')).node?.modifiedIndex, 700)
  await using strict = await doorOn(store, { strict: true })
  const refused = await ask(strict, 'GET', '/v2/keys/first?wait=true&waitIndex=4')
  assert.is(refused.cause, 'the requested history has been cleared [505/4]')
})

test('a restart keeps every key, index and time to live, and no key of a deleted directory comes back', async () => {
  const dataDir = tempDir()
  const listing = '/v2/keys?recursive=true&sorted=true'
  const before = await (async () => {
    await using store = await openStore('embedded', { dataDir, log })
    await using door = await doorOn(store)
    await ask(door, 'PUT', '/v2/keys/kept/%FF%20x', { value: 'é' })
    await ask(door, 'PUT', `/v2/keys/kept/${'long'.repeat(400)}`, { value: 'v' })
    for (let i = 0; i < 5; i += 1) await ask(door, 'PUT', `/v2/keys/dir/sub/${i}`, { value: 'v' })
    await ask(door, 'DELETE', '/v2/keys/dir?recursive=true')
    await ask(door, 'PUT', '/v2/keys/dir/sub/new', { value: 'v', ttl: '500' })
    return await ask(door, 'GET', listing)
  })()
  await using store = await openStore('embedded', { dataDir, log })
  await using door = await doorOn(store)
  const after = await ask(door, 'GET', listing)
  const withoutTtl = (answer: Answer) => JSON.stringify(answer).replace(/"ttl":\d+/g, '')
  assert.is(withoutTtl(after), withoutTtl(before))
  assert.is((await ask(door, 'PUT', '/v2/keys/next', { value: 'v' })).node?.modifiedIndex, 13)
})

test('what was answered is there when a server starts where another fell: before, during and after a checkpoint', async () => {
  await using store = await openStore('memory', { dataDir: tempDir(), log })
  await using first = await doorOn(store)
  const dice = seeded(5)
  const names = ['a', 'b', 'c']
  for (let round = 0; round < 8; round += 1) {
    for (let i = 0; i < 60; i += 1) {
      const key = Array.from({ length: 1 + dice.below(3) }, () => dice.pick(names)).join('/')
      if (dice.chance(0.2)) await ask(first, 'DELETE', `/v2/keys/${key}?recursive=true`)
      else await ask(first, 'PUT', `/v2/keys/${key}`, dice.chance(0.2) ? { dir: 'true' } : { value: String(i) })
    }
    await using next = await doorOn(store)
    const listing = '/v2/keys?recursive=true&sorted=true&quorum=true'
    assert.equal(await ask(next, 'GET', listing), await ask(first, 'GET', listing))
  }
})

test('several servers on one store agree: each index once, no swap won twice, watchers told everywhere', async () => {
  await using store = await openStore('memory', { dataDir: tempDir(), log })
  await using one = await doorOn(store)
  await using two = await doorOn(store)
  await ask(one, 'PUT', '/v2/keys/counter', { value: '0' })
  const elsewhere = ask(two, 'GET', '/v2/keys/counter?wait=true&waitIndex=5')
  const add = async (door: OwnDoor, times: number) => {
    for (let done = 0; done < times; ) {
      const { node } = await ask(door, 'GET', '/v2/keys/counter?quorum=true')
      const next = { value: String(Number(node?.value) + 1) }
      const { action } = await ask(door, 'PUT', `/v2/keys/counter?prevIndex=${node?.modifiedIndex}`, next)
      if (action === 'compareAndSwap') done += 1
    }
  }
  await Promise.all([add(one, 40), add(two, 40)])
  for (const door of [one, two]) {
    const { node } = await ask(door, 'GET', '/v2/keys/counter?quorum=true')
    assert.is(node?.value, '80')
    assert.is(node?.modifiedIndex, 84)
  }
  assert.is((await elsewhere).node?.value, '1')
})

test('a body beyond 10 MiB is refused, one below is kept', async () => {
  await using door = await startDoor()
  const large = await ask(door, 'PUT', '/v2/keys/large', { value: 'x'.repeat(11 * 1024 * 1024) }).catch(() => undefined)
  if (large) assert.is(large.errorCode, 210) // the connection may end before all was sent
  assert.is((await ask(door, 'GET', '/v2/keys/large')).errorCode, 100)
  const fits = 'y'.repeat(9 * 1024 * 1024)
  assert.is((await ask(door, 'PUT', '/v2/keys/large', { value: fits })).node?.value?.length, fits.length)
})

test('requests that are none, or that end early, leave nothing behind', async () => {
  await using door = await startDoor()
  for (const bytes of [randomBytes(200), Buffer.from('PUT /v2/keys/x HTTP/1.1\r\nContent-Length: 9\r\n\r\nval')]) {
    const connection = await RawConnection.open(door.url)
    connection.write(bytes)
    connection.close()
  }
  const long = await RawConnection.open(door.url)
  long.write(requestBytes({ method: 'GET', target: `/v2/keys/${'k'.repeat(70_000)}` }))
  assert.is((await long.head()).status, 431)
  const deep = await ask(door, 'PUT', `/v2/keys${'/d'.repeat(500)}`, { value: 'x' })
  assert.is(deep.errorCode, 209)
  assert.is((await ask(door, 'GET', '/v2/keys')).node?.nodes, undefined)
})

async function watchers(door: OwnDoor): Promise<number> {
  const answer = await fetch(`${door.url}/v2/stats/store`)
  return ((await answer.json()) as { watchers: number }).watchers
}

test('watchers cost little, and are gone with their clients', async () => {
  await using door = await startDoor()
  const before = process.memoryUsage().rss
  const open = await Promise.all(Array.from({ length: 1_000 }, () => RawConnection.open(door.url)))
  for (const connection of open) connection.send({ method: 'GET', target: '/v2/keys/idle?wait=true' })
  await Promise.all(open.map((connection) => connection.head()))
  assert.is(await watchers(door), 1_000)
  const each = (process.memoryUsage().rss - before) / 1_000
  assert.ok(each < 100 * 1024, `${Math.round(each / 1024)} KiB a watcher, both ends of it counted`)
  for (const connection of open) connection.close()
  await until(async () => (await watchers(door)) === 0, { what: 'all watchers gone' })
})

test('old events are dropped beyond the bound, and who asks for them is told', async () => {
  await using store = await openStore('memory', { dataDir: tempDir(), log })
  await using door = await doorOn(store, { maxEvents: 1_000 })
  await putMany(door, 2_500)
  const cleared = async () => (await ask(door, 'GET', '/v2/keys/many/1?wait=true&waitIndex=4')).errorCode === 401
  await until(cleared, { what: 'the oldest events dropped', timeoutMs: 8_000 })
  assert.is(
    (await ask(door, 'GET', '/v2/keys/many?wait=true&recursive=true&waitIndex=1600')).node?.modifiedIndex,
    1_600,
  )
})

test.run()
