// deadline: 60 s
/**
 * client-node's own informer, and ours, against the product as a process of its own that is stopped, killed and cut off:
 * what each of them has told in the end is what the acknowledged writes made, nothing lost and nothing doubled.
 * client-node's stops at every error but 410: its users start it again, as its documentation says, and so do we.
 */
import type { makeInformer, V1ConfigMap } from '@kubernetes/client-node'
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ApiClient, connect } from '../../controllers/lib/client.ts'
import { createInformer } from '../../controllers/lib/informer.ts'
import { ConfigMap } from '../../crds/index.ts'
import { Relay } from '../support/moving-relay.ts'
import { type Product, startProduct } from '../support/product.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { apart, followWithClientNode, PATH, type Told, throughRelay } from './informers-beside.ts'

const [CAUGHT_UP_MS, MANY] = [15_000, 20]
const log = pino({ level: process.env.TEST_LOG ?? 'silent' })

interface World {
  readonly writer: ApiClient
  readonly theirs: ReturnType<typeof makeInformer<V1ConfigMap>>
  readonly told: Told
  readonly ours: ReturnType<typeof createInformer<typeof ConfigMap>>
  readonly relay: Relay
  /** Versions that writes were answered with, by name. */
  readonly written: Told
  server: Product
  restart(how: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

const test = suite<{ world: World; end: () => Promise<void> }>('informers of client-node and our own')

test.before(async (context) => {
  const dataDir = tempDir()
  const relay = new Relay()
  let server = await startProduct(['server'], { dataDir })
  relay.target = Number(new URL(server.endpoints.api ?? '').port)
  const kubeconfig = throughRelay(server.kubeconfig, await relay.listen())
  const { theirs, told, end: endTheirs } = await followWithClientNode(kubeconfig)
  const client = connect({ kubeconfig })
  const ours = createInformer({ client, kind: ConfigMap, namespace: 'default', log })
  const stop = new AbortController()
  const running = ours.start(stop.signal)
  await ours.ready
  const writer = connect({ kubeconfig })
  context.world = {
    writer,
    theirs,
    told,
    ours,
    relay,
    written: new Map(),
    server,
    async restart(how) {
      if (how === 'SIGKILL') await server.process.crash()
      else await server.stop(how)
      server = await startProduct(['server'], { dataDir })
      this.server = server
      relay.target = Number(new URL(server.endpoints.api ?? '').port)
    },
  }
  context.end = async () => {
    await endTheirs()
    stop.abort()
    await running
    await Promise.all([client.close(), writer.close()])
    await relay.close()
    await server.stop()
  }
})

test.after(async ({ end }) => end())

async function write({ writer, written }: World, name: string, value: number): Promise<void> {
  const namespace = 'default'
  const body = { metadata: { name }, data: { value: `${value}` } }
  const isNew = !written.has(name)
  const { metadata } = isNew
    ? await writer.create(ConfigMap, body, { namespace })
    : await writer.patch(ConfigMap, name, { type: 'merge', body: { data: body.data }, namespace })
  written.set(name, [...(written.get(name) ?? []), String(metadata.resourceVersion)])
}

async function erase({ writer, written }: World, name: string): Promise<void> {
  await writer.delete(ConfigMap, name, { namespace: 'default' })
  written.set(name, [...(written.get(name) ?? []), 'gone'])
}

/** Writes go on until the server takes them again: only those that it acknowledged count. */
const written = (world: World, name: string, value: number) =>
  until(
    async () => {
      await write(world, name, value)
      return true
    },
    { what: `${name} written`, timeoutMs: CAUGHT_UP_MS },
  )

/** Both hold what was written last; nothing came twice, nothing came in another order. */
async function caughtUp(world: World): Promise<void> {
  const { theirs, ours, told, written } = world
  const lastOf = (name: string) => written.get(name)?.at(-1)
  const names = [...written.keys()]
  const theirVersion = (name: string) => theirs.get(name, 'default')?.metadata?.resourceVersion ?? 'gone'
  const ourVersion = (name: string) => ours.get(`default/${name}`)?.metadata.resourceVersion ?? 'gone'
  for (const [whose, version] of [
    ['client-node', theirVersion],
    ['ours', ourVersion],
  ] as const)
    await until(() => names.every((name) => version(name) === lastOf(name)), {
      what: `${whose} to hold what was written`,
      timeoutMs: CAUGHT_UP_MS,
    })
  for (const [name, versions] of told) {
    const known = written.get(name)
    if (known === undefined) continue
    assert.is(new Set(versions).size, versions.length, `${name} told twice: ${versions}`)
    assert.equal(
      versions,
      known.filter((version) => versions.includes(version)),
      `${name} in order`,
    )
  }
}

test('follow every write while nothing happens', async ({ world }) => {
  for (let at = 0; at < 20; at++) await write(world, `steady-${at % 5}`, at)
  await erase(world, 'steady-0')
  await caughtUp(world)
  for (const [name, versions] of world.written) assert.equal(world.told.get(name), versions)
})

for (const how of ['SIGTERM', 'SIGKILL'] as const)
  test(`miss nothing and double nothing over a server that gets ${how}`, async ({ world }) => {
    for (let at = 0; at < 10; at++) await write(world, `before-${how.toLowerCase()}-${at % 3}`, at)
    await world.restart(how)
    for (let at = 10; at < 20; at++) await written(world, `before-${how.toLowerCase()}-${at % 3}`, at)
    await caughtUp(world)
  })

test('miss nothing and double nothing when connections are reset in the middle of writes', async ({ world }) => {
  for (let round = 0; round < 4; round++) {
    for (let at = 0; at < 5; at++) await written(world, `reset-${at}`, round * 5 + at)
    world.relay.cut()
  }
  await written(world, 'reset-last', 1)
  await caughtUp(world)
})

test('start over where the server has forgotten what they missed', () =>
  apart(async ({ api, relay, told, sees }) => {
    const { store, feed } = api.server.registry
    const put = (name: string) => api.ask('POST', PATH, { body: { metadata: { name } } })
    for (const name of ['goes', 'stays']) assert.is((await put(name)).code, 201)
    await until(() => sees('goes') && sees('stays'), { what: 'both to see both', timeoutMs: CAUGHT_UP_MS })
    const seen = feed.revision
    relay.target = 0
    relay.cut()
    await api.ask('DELETE', `${PATH}/goes`)
    for (let at = 0; at < MANY; at++) await put(`new-${at}`)
    await store.compact(store.revision)
    feed.cache(ConfigMap).reset(feed.revision)
    const missed = await api.ask('GET', `${PATH}?watch=1&timeoutSeconds=1&resourceVersion=${seen}`)
    assert.match(missed.text, /"code":410/, 'what they missed is forgotten')
    relay.target = api.port
    await until(() => sees(`new-${MANY - 1}`) && !sees('goes'), { what: 'both to start over', timeoutMs: CAUGHT_UP_MS })
    assert.equal([told.get('goes')?.at(-1), told.get('goes')?.length, told.get('stays')?.length], ['gone', 2, 1])
    for (let at = 0; at < MANY; at++) assert.is(told.get(`new-${at}`)?.length, 1)
  }))

test.run()
