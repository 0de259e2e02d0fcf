// deadline: 60 s
/** What informers meet rarely: an answer of 410, a server that cuts them for being slow, a list of 10 000. */

import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { connect } from '../../controllers/lib/client.ts'
import { createInformer } from '../../controllers/lib/informer.ts'
import { ConfigMap } from '../../crds/index.ts'
import type { Kind } from '../../crds/kind.ts'
import { startListWatchServer } from '../support/list-watch-server.ts'
import { until } from '../support/until.ts'
import { apart, followWithClientNode } from './informers-beside.ts'

const test = suite('informers at the limits')
const log = pino({ level: process.env.TEST_LOG ?? 'silent' })

const CAUGHT_UP_MS = 15_000
const [SLOW_WRITES, SLOW_BYTES] = [300, 100_000]
const OBJECTS = 10_000

const object = (name: string, resourceVersion: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', uid: name, resourceVersion },
})

test('an answer of 410 to a watch makes both list anew', async () => {
  const server = await startListWatchServer()
  server.items = [object('goes', '1'), object('stays', '1')] as never
  const { theirs, told, end } = await followWithClientNode(server.kubeconfig)
  const client = connect({ kubeconfig: server.kubeconfig })
  const ours = createInformer({ client, kind: ConfigMap, namespace: 'default', log })
  const stop = new AbortController()
  const running = ours.start(stop.signal)
  try {
    await ours.ready
    await until(() => server.seen.watches.length === 2, { what: 'both to watch' })
    server.items = [object('stays', '1'), object('new', '7')] as never
    server.resourceVersion = '7'
    server.keptFrom = 7
    for (const watch of server.seen.watches) watch.cut()
    const held = () =>
      [theirs.list('default'), ours.list()].map((list) =>
        list
          .map(({ metadata }) => metadata?.name)
          .sort()
          .join(),
      )
    await until(() => held().every((names) => names === 'new,stays'), {
      what: 'both to hold what is there',
      timeoutMs: CAUGHT_UP_MS,
    })
    assert.equal([told.get('goes'), told.get('stays'), told.get('new')], [['1', 'gone'], ['1'], ['7']])
  } finally {
    await end()
    stop.abort()
    await running
    await client.close()
    await server.close()
  }
})

test('a reader that is too slow is cut, and misses and doubles nothing', () =>
  apart(async ({ api, relay, told, versions, sees }) => {
    const { registry } = api.server
    const kind = ConfigMap as Kind
    const place = { kind, namespace: 'default', name: 'slow' }
    await registry.create(kind, 'default', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'slow', namespace: 'default' },
    })
    await until(() => sees('slow'), { what: 'both to see it', timeoutMs: CAUGHT_UP_MS })
    const watches = () => registry.feed.cache(kind).watchers.size
    const before = watches()
    const release = relay.hold()
    for (let at = 0; at < SLOW_WRITES; at++)
      await registry.update(place, (now) => ({ ...now, data: { at: `${at}`.padEnd(SLOW_BYTES, 'x') } }), undefined)
    await until(() => watches() < before, { what: 'the server to cut them', timeoutMs: CAUGHT_UP_MS })
    release()
    const last = String(registry.get(place).version)
    await until(() => versions('slow').every((version) => version === last), {
      what: 'both to hold the last version',
      timeoutMs: CAUGHT_UP_MS,
    })
    const seen = told.get('slow') ?? []
    assert.is(new Set(seen).size, seen.length, 'nothing twice')
    assert.equal(
      seen,
      seen.toSorted((a, b) => Number(a) - Number(b)),
    )
  }))

test('a list of 10 000 after the history is gone: what went is told once, what stayed not again', () =>
  apart(async ({ api, relay, told, sizes, sees }) => {
    const { registry } = api.server
    const { store, feed } = registry
    const kind = ConfigMap as Kind
    const create = (name: string) =>
      registry.create(kind, 'default', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: 'default' },
      })
    for (let at = 0; at < OBJECTS; at += 500)
      await Promise.all(Array.from({ length: 500 }, (_, i) => create(`c-${at + i}`)))
    await until(() => sizes().every((size) => size >= OBJECTS), { what: 'both to hold all', timeoutMs: CAUGHT_UP_MS })
    relay.target = 0
    relay.cut()
    for (let at = 0; at < 100; at++) await registry.delete({ kind, namespace: 'default', name: `c-${at}` })
    await create('new')
    await store.compact(store.revision)
    feed.cache(kind).reset(feed.revision)
    relay.target = api.port
    await until(() => sees('new') && sizes().every((size) => size === OBJECTS - 99), {
      what: 'both to start over',
      timeoutMs: CAUGHT_UP_MS,
    })
    for (let at = 0; at < OBJECTS; at++) {
      const list = told.get(`c-${at}`) ?? []
      assert.is(list.length, at < 100 ? 2 : 1, `c-${at}: ${list}`)
      assert.is(list.at(-1) === 'gone', at < 100)
    }
  }))

test.run()
