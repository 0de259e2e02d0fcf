/** Two servers over one store: each comes to the same kinds by itself, and neither undoes what the other does. */
import pino from 'pino'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { definitionKind } from '../../../../api-server/custom/definition-kind.ts'
import { createCustomKinds, withDefinitions } from '../../../../api-server/custom/index.ts'
import { objectOf } from '../../../../api-server/registry/entry.ts'
import { Feed } from '../../../../api-server/registry/feed.ts'
import { ensureNamespaces } from '../../../../api-server/registry/namespaces.ts'
import { Registry } from '../../../../api-server/registry/registry.ts'
import { openMemoryStore } from '../../../../api-server/store/memory.ts'
import type { Store } from '../../../../api-server/store/store.ts'
import { KINDS } from '../../../../crds/index.ts'
import type { ApiObject, Kind } from '../../../../crds/kind.ts'
import { until } from '../../../support/until.ts'
import { definition } from './support.ts'

const test = suite('users own kinds on two servers')

interface Server {
  readonly registry: Registry
  readonly stop: () => Promise<unknown>
}

async function start(store: Store): Promise<Server> {
  const log = pino({ level: 'silent' })
  const registry = new Registry(store, new Feed(store, withDefinitions(KINDS), log))
  const custom = createCustomKinds(registry, log)
  const end = new AbortController()
  await registry.feed.load()
  await custom.serve()
  const loops = [registry.feed.run(end.signal)]
  await ensureNamespaces(registry)
  loops.push(custom.run(end.signal))
  return {
    registry,
    stop: () => {
      end.abort()
      return Promise.all(loops)
    },
  }
}

async function withTwo(use: (one: Server, other: Server) => Promise<void>): Promise<void> {
  const store = openMemoryStore()
  const servers = [await start(store), await start(store)] as const
  try {
    await use(...servers)
  } finally {
    for (const { stop } of servers) await stop()
    await store[Symbol.asyncDispose]()
  }
}

const NAMES = { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', listKind: 'CronTabList' }
const place = { kind: definitionKind, namespace: undefined, name: 'crontabs.example.com' }
const served = ({ registry }: Server) => registry.feed.kinds.find('example.com', 'v1', 'crontabs')
const cronTab = (name: string) =>
  ({ apiVersion: 'example.com/v1', kind: 'CronTab', metadata: { name, namespace: 'default' } }) as ApiObject

function define({ registry }: Server): Promise<unknown> {
  const { metadata: _metadata, ...rest } = definition(NAMES)
  return registry.create(definitionKind, undefined, { ...rest, metadata: { name: place.name } } as unknown as ApiObject)
}

async function isQuiet({ registry }: Server): Promise<boolean> {
  const { version } = registry.get(place)
  await new Promise((resolve) => setImmediate(resolve))
  return registry.get(place).version === version
}

test('both serve what one was told of, and what the other stores', async () =>
  withTwo(async (one, other) => {
    await define(one)
    const kinds = await until(() => served(one) && served(other) && [served(one), served(other)], {
      what: 'both serve',
    })
    await one.registry.create(kinds[0] as Kind, 'default', cronTab('a'))
    const name = await until(
      () => other.registry.find({ kind: kinds[1] as Kind, namespace: 'default', name: 'a' })?.name,
      { what: 'the object on the other server' },
    )
    assert.is(name, 'a')
    await until(() => isQuiet(one), { what: 'an end of status writes' })
    assert.is((objectOf(one.registry.get(place)).status as { observedGeneration: number }).observedGeneration, 1)
  }))

test('either may delete it: both empty it, and both forget it', async () =>
  withTwo(async (one, other) => {
    await define(one)
    const kind = await until(() => served(other), { what: 'the other serves' })
    for (let i = 0; i < 100; i++) await other.registry.create(kind, 'default', cronTab(`a${i}`))
    await other.registry.delete(place)
    await until(() => !one.registry.find(place) && !served(one) && !served(other), { what: 'gone on both' })
    const { items } = await one.registry.store.list({ start: '/r/example.com/', end: '/r/example.com0' })
    assert.is(items.length, 0)
  }))

test.run()
