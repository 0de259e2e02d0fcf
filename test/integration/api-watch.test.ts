/**
 * Watches over real TLS: what is told, when the head comes, how they end, and what a slow or lost client costs.
 * Longer than 250 lines: one server and one table of watchers serve all of it.
 */
import { connect } from 'node:tls'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Unit } from '../../crds/index.ts'
import { until } from '../support/until.ts'
import { within } from '../support/within.ts'
import { type Api, type Json, MERGE, startApi, UNITS, unitBody, watchOf } from './api-raw.ts'

const test = suite<{ api: Api }>('watches over TLS')

test.before(async (context) => {
  context.api = await startApi()
})

test.after(async ({ api }) => api[Symbol.asyncDispose]())

let count = 0
async function made(api: Api, labels: Record<string, string> = {}, spec: Record<string, unknown> = {}): Promise<Json> {
  const body = unitBody(`w${++count}.service`, spec, { labels })
  return (await api.ask('POST', UNITS, { body })).body
}

const pathOf = (unit: Json) => `${UNITS}/${unit.metadata.name}`
const relabel = (api: Api, unit: Json, labels: Record<string, string | null>) =>
  api.ask('PATCH', pathOf(unit), { type: MERGE, body: { metadata: { labels } } })
const has = (reader: { events: readonly unknown[] }, events: number) =>
  until(() => reader.events.length >= events, { what: `${events} events` })

test('the head comes at once, though nothing happens', async ({ api }) => {
  const watch = await watchOf(api, `${UNITS}?watch=true&resourceVersion=999999`)
  const { statusCode, headers } = watch.response
  assert.equal(
    [statusCode, headers['content-type'], headers['transfer-encoding']],
    [200, 'application/json', 'chunked'],
  )
  assert.is(headers['cache-control'], 'no-cache, private')
  watch.close()
})

test('a version, zero and none: what came after it, or what there is first', async ({ api }) => {
  const unit = await made(api, { rv: 'x' })
  const from = (version: string) => watchOf(api, `${UNITS}?watch=1&labelSelector=rv${version}`)
  const watches = await Promise.all([
    from(''),
    from('&resourceVersion=0'),
    from(`&resourceVersion=${unit.metadata.resourceVersion}`),
  ])
  const { body } = await relabel(api, unit, { rv: 'y' })
  await api.ask('DELETE', pathOf(unit))
  for (const watch of watches.slice(0, 2)) await has(watch, 3)
  await has(watches[2] as { events: readonly unknown[] }, 2)
  const { name } = unit.metadata
  const changes = [`MODIFIED ${name}`, `DELETED ${name}`]
  assert.equal(
    watches.map(({ told }) => told),
    [[`ADDED ${name}`, ...changes], [`ADDED ${name}`, ...changes], changes],
  )
  const last = watches[2]?.events[1]?.object
  assert.ok(
    Number(last.metadata.resourceVersion) > Number(body.metadata.resourceVersion),
    'a deletion has a version of its own',
  )
  assert.equal(last.metadata.labels, { rv: 'y' })
  for (const watch of watches) watch.close()
})

test('objects come into a selection and leave it', async ({ api }) => {
  const unit = await made(api, { tier: 'fe' })
  const watch = await watchOf(
    api,
    `${UNITS}?watch=1&labelSelector=tier%3Dbe&resourceVersion=${unit.metadata.resourceVersion}`,
  )
  for (const tier of ['be', 'fe']) await relabel(api, unit, { tier })
  await has(watch, 2)
  assert.equal(
    watch.events.map(({ type, object }) => [type, object.metadata.labels.tier]),
    [
      ['ADDED', 'be'],
      ['DELETED', 'be'],
    ],
  )
  watch.close()
})

test('a watch by name, in either form of the path', async ({ api }) => {
  const unit = await made(api)
  const { name } = unit.metadata
  const paths = [
    `${UNITS}?fieldSelector=metadata.name%3D${name}&resourceVersion=0&watch=true`,
    `${UNITS.replace('units', 'watch/units')}/${name}`,
  ]
  const watches = await Promise.all(paths.map((path) => watchOf(api, path)))
  await made(api)
  await relabel(api, unit, { a: 'b' })
  for (const watch of watches) {
    await has(watch, 2)
    assert.equal(watch.told, [`ADDED ${name}`, `MODIFIED ${name}`])
    watch.close()
  }
})

test('timeoutSeconds ends a watch cleanly, however large it is', async ({ api }) => {
  const short = await watchOf(api, `${UNITS}?watch=1&timeoutSeconds=1`)
  const long = await watchOf(api, `${UNITS}?watch=1&timeoutSeconds=9999999999`)
  assert.is(await within(3_000, short.ended, 'the end'), 'clean')
  assert.is(long.response.readableEnded, false)
  long.close()
})

test('bookmarks come only if asked for, and one before the end', async ({ api }) => {
  await made(api)
  const asked = await watchOf(
    api,
    `${UNITS}?watch=1&resourceVersion=1&fieldSelector=metadata.name%3Dnone&allowWatchBookmarks=true&timeoutSeconds=1`,
  )
  const silent = await watchOf(
    api,
    `${UNITS}?watch=1&resourceVersion=1&fieldSelector=metadata.name%3Dnone&timeoutSeconds=1`,
  )
  await Promise.all([asked.ended, silent.ended])
  assert.equal(silent.events, [])
  const [bookmark] = asked.events
  assert.equal(
    [asked.events.length, bookmark?.type, bookmark?.object.kind, bookmark?.object.metadata.creationTimestamp],
    [1, 'BOOKMARK', 'Unit', null],
  )
  assert.is(bookmark?.object.metadata.resourceVersion, String(api.server.registry.feed.revision))
})

test('a list that streams says where its beginning ends', async ({ api }) => {
  await made(api)
  const watch = await watchOf(
    api,
    `${UNITS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
  )
  await until(() => watch.events.some(({ type }) => type === 'BOOKMARK'), { what: 'the bookmark' })
  assert.equal(watch.events.at(-1)?.object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
  assert.ok(watch.events.slice(0, -1).every(({ type }) => type === 'ADDED'))
  watch.close()
})

test('a version too old is told as an event, and the end is clean', async ({ api }) => {
  const unit = await made(api)
  for (let n = 0; n < 5; n++) await relabel(api, unit, { n: String(n) })
  const { registry } = api.server
  await registry.store.compact(registry.store.revision)
  registry.feed.cache(Unit).reset(registry.feed.revision)
  const watch = await watchOf(api, `${UNITS}?watch=1&resourceVersion=2`)
  assert.is(await watch.ended, 'clean')
  const [{ type, object } = { type: '', object: {} }] = watch.events
  assert.equal(
    [watch.response.statusCode, type, object.kind, object.code, object.reason],
    [200, 'ERROR', 'Status', 410, 'Expired'],
  )
  assert.match(object.message, /^too old resource version: 2 \(\d+\)$/)
})

test('a watch may be a Table, each event of one row', async ({ api }) => {
  const unit = await made(api, { table: '1' })
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }
  const watch = await watchOf(api, `${UNITS}?watch=1&labelSelector=table`, { headers })
  await api.ask('DELETE', pathOf(unit))
  await has(watch, 2)
  for (const { object } of watch.events)
    assert.equal(
      [object.kind, object.rows.length, object.rows[0].object.metadata.name],
      ['Table', 1, unit.metadata.name],
    )
  watch.close()
})

test('HTTP/1.0 is served without chunks', async ({ api }) => {
  const unit = await made(api, { old: 'http' })
  const socket = await api.connect()
  let heard = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  socket.write(`GET ${UNITS}?watch=1&labelSelector=old&timeoutSeconds=1 HTTP/1.0\r\n\r\n`)
  await relabel(api, unit, { a: 'b' })
  await within(5_000, new Promise((resolve) => socket.on('close', resolve)), 'the end')
  const [, body = ''] = heard.split('\r\n\r\n')
  assert.equal(
    body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).type),
    ['ADDED', 'MODIFIED'],
  )
})

test('a first state of 30 MB reaches even a slow client whole, with what was written meanwhile', async () => {
  const api = await startApi()
  const content = 'x'.repeat(250_000)
  for (let n = 0; n < 120; n++) await api.ask('POST', UNITS, { body: unitBody(`big${n}.service`, { content }) })
  const response = await api.open(`${UNITS}?watch=1`)
  response.pause()
  await until(() => response.readableLength > 0, { what: 'the first bytes, which nobody reads' })
  const { body } = await api.ask('POST', UNITS, { body: unitBody('late.service') })
  let text = ''
  response
    .setEncoding('utf8')
    .on('data', (piece: string) => {
      text += piece
    })
    .resume()
  await until(() => text.endsWith('}\n') && text.includes('late.service'), { what: 'the late one', timeoutMs: 10_000 })
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.is(events.length, 121)
  assert.equal(events.at(-1).object, body)
  await api[Symbol.asyncDispose]()
})

/** The server itself follows Units, to know what machines may read. */
const OWN_WATCHERS = 1

test('a watcher that reads nothing is cut, and costs no more than its bound until then', async () => {
  const api = await startApi()
  const { cert, key } = api.admin.tls
  const socket = connect({ host: '127.0.0.1', port: api.port, ca: api.server.pki.caCertificate, cert, key })
  socket.on('error', () => undefined).pause()
  socket.write(`GET ${UNITS}?watch=1 HTTP/1.1\r\nhost: x\r\n\r\n`)
  const { watchers } = api.server.registry.feed.cache(Unit)
  await until(() => watchers.size > OWN_WATCHERS, { what: 'the watch' })
  await api.ask('POST', UNITS, { body: unitBody('big.service') })
  let sent = 0
  while (watchers.size > OWN_WATCHERS && sent < 400) {
    const body = { spec: { content: `#${sent++}\n${'x'.repeat(200_000)}` } }
    await api.ask('PATCH', `${UNITS}/big.service`, { type: MERGE, body })
  }
  assert.is(watchers.size, OWN_WATCHERS, 'cut')
  assert.ok(sent * 200_000 < 40e6, `after ${sent} changes of 200 kB`)
  socket.destroy()
  await api[Symbol.asyncDispose]()
})

test('a client that has gone is forgotten', async ({ api }) => {
  const { watchers } = api.server.registry.feed.cache(Unit)
  await until(() => watchers.size === OWN_WATCHERS, { what: 'earlier watches to be forgotten' })
  const watches = await Promise.all(Array.from({ length: 20 }, () => watchOf(api, `${UNITS}?watch=1`)))
  assert.is(watchers.size, OWN_WATCHERS + 20)
  for (const watch of watches) watch.close()
  await until(() => watchers.size === OWN_WATCHERS, { what: 'all to be forgotten' })
})

test('a hundred watchers hear every change, once, in order', async ({ api }) => {
  const watches = await Promise.all(
    Array.from({ length: 100 }, () => watchOf(api, `${UNITS}?watch=1&labelSelector=crowd`)),
  )
  const unit = await made(api, { crowd: '0' })
  for (let n = 1; n < 30; n++) await relabel(api, unit, { crowd: String(n) })
  for (const watch of watches) {
    await has(watch, 30)
    assert.equal(
      watch.events.map(({ object }) => object.metadata.labels.crowd),
      Array.from({ length: 30 }, (_, n) => String(n)),
    )
    watch.close()
  }
})

test('when the server stops its watches end cleanly, with a bookmark for who asked', async () => {
  const api = await startApi()
  const watch = await watchOf(api, `${UNITS}?watch=1`)
  const marked = await watchOf(api, `${UNITS}?watch=1&allowWatchBookmarks=true`)
  const start = performance.now()
  const closed = api.server.close()
  assert.equal(await Promise.all([watch.ended, marked.ended]), ['clean', 'clean'])
  assert.is(marked.events.at(-1)?.type, 'BOOKMARK')
  await closed
  assert.ok(performance.now() - start < 1_500)
})

test.run()
