import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connect } from '../../../../controllers/lib/client.ts'
import { createInformer, type Informer } from '../../../../controllers/lib/informer.ts'
import type { ApiObject } from '../../../../crds/kind.ts'
import { Machine } from '../../../../crds/machine.ts'
import { type ListWatchServer, startListWatchServer } from '../../../support/list-watch-server.ts'
import { until } from '../../../support/until.ts'

const test = suite('informer')
const log = pino({ level: 'silent' })

interface Setup {
  readonly server: ListWatchServer
  readonly informer: Informer<Machine>
  /** Keys in the order in which changes were told. */
  readonly told: string[]
}

async function withInformer(prepare: (server: ListWatchServer) => void, use: (setup: Setup) => Promise<void>) {
  const server = await startListWatchServer()
  prepare(server)
  const client = connect({ kubeconfig: server.kubeconfig })
  const told: string[] = []
  const backoff = { firstMs: 1, maxMs: 5 }
  const onChange = (key: string) => void told.push(key)
  const informer = createInformer({ client, kind: Machine, log, onChange, backoff, silenceMs: 80 })
  const stop = new AbortController()
  const running = informer.start(stop.signal)
  try {
    await use({ server, informer, told })
  } finally {
    stop.abort()
    await running
    await client.close()
    await server.close()
  }
}

function machine(name: string, version: string, labels: Record<string, string> = {}): ApiObject {
  return { apiVersion: 'flotilla.dev/v1', kind: 'Machine', metadata: { name, resourceVersion: version, labels } }
}
const names = (informer: Informer<Machine>) => informer.list().map(({ metadata }) => metadata.name)
const watches = (server: ListWatchServer, count: number) =>
  until(() => server.seen.watches.length >= count && server.watch, { what: `watch number ${count}` })

test('lists once, then follows the watch from the version of the list, with bookmarks', () =>
  withInformer(
    (server) => {
      server.items = [machine('m1', '4')]
      server.resourceVersion = '7'
    },
    async ({ server, informer, told }) => {
      await informer.ready
      const watch = await watches(server, 1)
      assert.is(watch.from, '7')
      assert.is(watch.url.searchParams.get('allowWatchBookmarks'), 'true')
      watch.send('ADDED', machine('m2', '8'))
      watch.send('MODIFIED', machine('m1', '9', { zone: 'a' }))
      watch.send('DELETED', machine('m2', '10'))
      await until(() => told.length === 4, { what: 'all changes' })
      assert.equal(told, ['m1', 'm2', 'm1', 'm2'])
      assert.equal(names(informer), ['m1'])
      assert.equal(informer.get('m1')?.metadata.labels, { zone: 'a' })
      assert.is(server.seen.lists, 1)
    },
  ))

test('after a clean end or a cut it goes on from the last version, without a new list and without doubles', () =>
  withInformer(
    (server) => {
      server.items = [machine('m1', '4')]
    },
    async ({ server, told }) => {
      const first = await watches(server, 1)
      first.send('MODIFIED', machine('m1', '5'))
      first.send('BOOKMARK', { kind: 'Machine', metadata: { resourceVersion: '20' } })
      await until(() => told.length === 2, { what: 'the change' })
      first.end()
      const second = await watches(server, 2)
      assert.is(second.from, '20')
      second.send('MODIFIED', machine('m1', '21'))
      await until(() => told.length === 3, { what: 'the next change' })
      second.cut()
      const third = await watches(server, 3)
      assert.is(third.from, '21')
      third.send('MODIFIED', machine('m1', '21'))
      third.send('MODIFIED', machine('m1', '22'))
      await until(() => told.length === 4, { what: 'the last change' })
      assert.is(server.seen.lists, 1)
    },
  ))

for (const [how, expire] of [
  [
    'in the stream',
    (server: ListWatchServer) => server.watch?.send('ERROR', { kind: 'Status', code: 410, reason: 'Expired' }),
  ],
  [
    'as an answer',
    (server: ListWatchServer) => {
      server.fail.watch.push(410)
      server.watch?.end()
    },
  ],
] as const)
  test(`a version that is gone (410 ${how}) leads to a new list, and what changed meanwhile is told once`, () =>
    withInformer(
      (server) => {
        server.items = [machine('m1', '1'), machine('m2', '2'), machine('m3', '3')]
      },
      async ({ server, informer, told }) => {
        await watches(server, 1)
        told.length = 0
        server.items = [machine('m1', '1'), machine('m2', '30'), machine('m4', '31')]
        server.resourceVersion = '40'
        expire(server)
        const watch = await watches(server, 2)
        assert.is(watch.from, '40')
        assert.equal(told.toSorted(), ['m2', 'm3', 'm4'])
        assert.equal(names(informer), ['m1', 'm2', 'm4'])
      },
    ))

test('another error in the stream ends the watch, and it goes on from the last version', () =>
  withInformer(
    () => {},
    async ({ server }) => {
      const watch = await watches(server, 1)
      watch.send('ADDED', machine('m1', '5'))
      watch.send('ERROR', { kind: 'Status', code: 500, reason: 'InternalError' })
      assert.is((await watches(server, 2)).from, '5')
      assert.is(server.seen.lists, 1)
    },
  ))

test('survives lists and watches that fail in every way', () =>
  withInformer(
    (server) => {
      server.fail.list.push(500, 0, 403, 503)
      server.fail.watch.push(500, 0, 429, 401)
      server.items = [machine('m1', '4')]
    },
    async ({ server, informer }) => {
      await informer.ready
      const watch = await watches(server, 1)
      watch.send('ADDED', machine('m2', '5'))
      await until(() => names(informer).length === 2, { what: 'the second machine' })
      assert.is(server.seen.lists, 5)
    },
  ))

test('a silent connection is given up and opened anew', () =>
  withInformer(
    () => {},
    async ({ server, informer }) => {
      await watches(server, 2)
      const before = informer.lastContact()
      assert.ok(before > Number.NEGATIVE_INFINITY)
      await until(() => informer.lastContact() > before, { what: 'contact with the new watch' })
      assert.is(server.seen.lists, 1)
    },
  ))

test('a handler that throws disturbs nobody', () =>
  withInformer(
    (server) => {
      server.items = [machine('m1', '4')]
    },
    async ({ server, informer, told }) => {
      informer.subscribe(() => {
        throw new Error('bug')
      })
      const later: string[] = []
      const unsubscribe = informer.subscribe((key) => later.push(key))
      const watch = await watches(server, 1)
      watch.send('ADDED', machine('m2', '5'))
      await until(() => later.includes('m2'), { what: 'the other handlers' })
      unsubscribe()
      watch.send('ADDED', machine('m3', '6'))
      await until(() => told.includes('m3'), { what: 'the next change' })
      assert.not.ok(later.includes('m3'))
    },
  ))

test.run()
