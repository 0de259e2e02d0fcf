/** The registry's own rules, without HTTP. Longer than 250 lines: every verb against one small rig. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { objectOf } from '../../../../api-server/registry/entry.ts'
import { StatusError } from '../../../../api-server/registry/errors.ts'
import { drainNamespaces } from '../../../../api-server/registry/namespace-drain.ts'
import { ensureAccounts } from '../../../../api-server/registry/namespace-keeper.ts'
import { requireNamespace } from '../../../../api-server/registry/namespaces.ts'
import { fromScale, toScale } from '../../../../api-server/registry/scale.ts'
import { expireEvents } from '../../../../api-server/registry/sweep.ts'
import { UnavailableError } from '../../../../api-server/store/store.ts'
import { Event, Lease, Namespace, ServiceAccount } from '../../../../crds/index.ts'
import type { ApiObject, Kind } from '../../../../crds/kind.ts'
import { within } from '../../../support/within.ts'
import { at, createUnit, label, UNIT, unitObject, withRegistry } from './with-registry.ts'

const test = suite('registry')

const codeOf = (promise: Promise<unknown>): Promise<number> =>
  promise.then(
    () => 200,
    (error: unknown) => (error instanceof StatusError ? error.status.code : Promise.reject(error)),
  )

test('a write without a version never loses: 64 at once all land', () =>
  withRegistry(async ({ registry }) => {
    await createUnit(registry, 'a.service')
    const add = (key: string) => (unit: ApiObject) => ({
      ...unit,
      metadata: { ...unit.metadata, labels: { ...unit.metadata.labels, [key]: '1' }, resourceVersion: '' },
    })
    await Promise.all(Array.from({ length: 64 }, (_, n) => registry.update(at('a.service'), add(`l${n}`), undefined)))
    const { labels } = registry.get(at('a.service'))
    assert.is(Object.keys(labels ?? {}).length, 64)
  }))

test('of writes that name the version they mean, exactly one wins', () =>
  withRegistry(async ({ registry }) => {
    const resourceVersion = String(await createUnit(registry, 'a.service'))
    const claim = (n: number) => (unit: ApiObject) => ({
      ...unit,
      metadata: { ...unit.metadata, resourceVersion, labels: { who: String(n) } },
    })
    const codes = await Promise.all(
      Array.from({ length: 16 }, (_, n) => codeOf(registry.update(at('a.service'), claim(n), undefined))),
    )
    assert.is(codes.filter((code) => code === 200).length, 1)
    assert.is(codes.filter((code) => code === 409).length, 15)
  }))

test('a success is in the cache when it is told', () =>
  withRegistry(async ({ registry }) => {
    for (let n = 0; n < 50; n++) {
      const { bytes } = await registry.create(UNIT, undefined, unitObject(`u${n}.service`))
      assert.ok(registry.get(at(`u${n}.service`)).bytes.equals(bytes))
    }
  }))

test('a write that changes nothing keeps the version', () =>
  withRegistry(async ({ registry, store }) => {
    const version = await createUnit(registry, 'a.service', { labels: { a: 'b' } })
    const before = store.revision
    assert.is(await label(registry, 'a.service', { a: 'b' }), version)
    assert.is(store.revision, before)
  }))

test('a dry run shows what would be and stores nothing', () =>
  withRegistry(async ({ registry, store }) => {
    await createUnit(registry, 'a.service')
    const before = store.revision
    const relabel = (unit: ApiObject) => ({ ...unit, metadata: { ...unit.metadata, labels: { a: 'b' } } })
    const { bytes } = await registry.update(at('a.service'), relabel, undefined, { dryRun: true })
    assert.equal(JSON.parse(bytes.toString()).metadata.labels, { a: 'b' })
    await registry.create(UNIT, undefined, unitObject('b.service'), { dryRun: true })
    await registry.delete(at('a.service'), { dryRun: true })
    assert.is(store.revision, before)
    assert.ok(registry.find(at('a.service')))
  }))

test('one object is created once and deleted once, however many try', () =>
  withRegistry(async ({ registry }) => {
    const created = await Promise.all(
      Array.from({ length: 16 }, () => codeOf(registry.create(UNIT, undefined, unitObject('a.service')))),
    )
    assert.equal(created.sort(), [200, ...Array.from({ length: 15 }, () => 409)])
    const deleted = await Promise.all(Array.from({ length: 16 }, () => codeOf(registry.delete(at('a.service')))))
    assert.equal(deleted.sort(), [200, ...Array.from({ length: 15 }, () => 404)])
  }))

test('what has finalizers stays until the last of them goes', () =>
  withRegistry(async ({ registry }) => {
    await createUnit(registry, 'a.service', { finalizers: ['x/a', 'x/b'] })
    const first = await registry.delete(at('a.service'))
    const { metadata } = JSON.parse(first.bytes.toString())
    assert.equal([metadata.generation, metadata.deletionGracePeriodSeconds, first.gone], [2, 0, undefined])
    assert.match(metadata.deletionTimestamp, /^\d{4}-.*Z$/)
    const version = registry.get(at('a.service')).version
    await registry.delete(at('a.service'))
    assert.is(registry.get(at('a.service')).version, version, 'a second delete changes nothing')
    assert.is(await codeOf(registry.create(UNIT, undefined, unitObject('a.service'))), 409)
    const drop = (left: string[]) => (unit: ApiObject) => ({
      ...unit,
      metadata: { ...unit.metadata, finalizers: left },
    })
    await registry.update(at('a.service'), drop(['x/b']), undefined)
    const last = await registry.update(at('a.service'), drop([]), undefined)
    assert.ok(last.gone)
    assert.is(registry.find(at('a.service')), undefined)
  }))

test('preconditions hold a deletion back', () =>
  withRegistry(async ({ registry }) => {
    const version = await createUnit(registry, 'a.service')
    assert.is(await codeOf(registry.delete(at('a.service'), { preconditions: { uid: 'other' } })), 409)
    assert.is(await codeOf(registry.delete(at('a.service'), { preconditions: { resourceVersion: '1' } })), 409)
    assert.is(
      await codeOf(registry.delete(at('a.service'), { preconditions: { resourceVersion: String(version) } })),
      200,
    )
  }))

test('writers do not wait for ever when the store is no longer followed', () =>
  withRegistry(async ({ registry, store }) => {
    const write = registry.create(UNIT, undefined, unitObject('a.service'))
    const waiting = registry.feed.reached(10_000n)
    await store[Symbol.asyncDispose]()
    await write.catch(() => undefined)
    assert.instance(
      await within(
        1_000,
        waiting.catch((error: unknown) => error),
        'the news',
      ),
      UnavailableError,
    )
    assert.instance(await registry.feed.reached(10_000n).catch((error: unknown) => error), UnavailableError)
  }).catch((error: unknown) => assert.instance(error, UnavailableError)))

const lease = (name: string, namespace: string): ApiObject => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, namespace },
})

const namespaceAt = (name: string) => ({ kind: Namespace as Kind, namespace: undefined, name })

test('a deleted namespace takes nothing new, is emptied, and goes', () =>
  withRegistry(async ({ registry }) => {
    const ns = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } }
    assert.throws(() => requireNamespace(registry, Lease as Kind, 'team', 'a'), /namespaces "team" not found/)
    await registry.create(Namespace as Kind, undefined, ns)
    for (const name of ['a', 'b']) await registry.create(Lease as Kind, 'team', lease(name, 'team'))
    const { bytes } = await registry.delete(namespaceAt('team'))
    assert.is(JSON.parse(bytes.toString()).status.phase, 'Terminating')
    try {
      requireNamespace(registry, Lease as Kind, 'team', 'c')
      assert.unreachable()
    } catch (error) {
      const { code, details } = (error as StatusError).status
      assert.equal([code, details?.causes?.[0]?.reason], [403, 'NamespaceTerminating'])
    }
    await drainNamespaces(registry)
    assert.is(registry.find(namespaceAt('team')), undefined)
    assert.is(registry.feed.cache(Lease).entries.size, 0)
  }))

test('a namespace waits for what has finalizers', () =>
  withRegistry(async ({ registry }) => {
    await registry.create(Namespace as Kind, undefined, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'team' },
    })
    const kept = lease('a', 'team')
    kept.metadata.finalizers = ['x/y']
    await registry.create(Lease as Kind, 'team', kept)
    await registry.delete(namespaceAt('team'))
    await drainNamespaces(registry)
    const { status } = objectOf(registry.get(namespaceAt('team'))) as {
      status?: { conditions?: Record<string, string>[] }
    }
    assert.equal(
      status?.conditions?.map(({ type, status: value, message }) => `${type} ${value}: ${message}`),
      [
        'NamespaceDeletionDiscoveryFailure False: All resources successfully discovered',
        'NamespaceDeletionGroupVersionParsingFailure False: All legacy kube types successfully parsed',
        'NamespaceDeletionContentFailure False: All content successfully deleted, may be waiting on finalization',
        'NamespaceContentRemaining True: Some resources are remaining: leases.coordination.k8s.io has 1 resource instances',
        'NamespaceFinalizersRemaining True: Some content in the namespace has finalizers remaining: x/y in 1 resource instances',
      ],
    )
    const { version } = registry.get(namespaceAt('team'))
    await drainNamespaces(registry)
    assert.is(registry.get(namespaceAt('team')).version, version, 'the same is not said twice')
    await registry.update(
      { kind: Lease as Kind, namespace: 'team', name: 'a' },
      (one) => ({ ...one, metadata: { ...one.metadata, finalizers: [] } }),
      undefined,
    )
    await drainNamespaces(registry)
    assert.is(registry.find(namespaceAt('team')), undefined)
  }))

test('a living namespace has its default account, made again where somebody deletes it', () =>
  withRegistry(async ({ registry }) => {
    const account = { kind: ServiceAccount as Kind, namespace: 'default', name: 'default' }
    await ensureAccounts(registry)
    await registry.delete(account)
    await ensureAccounts(registry)
    assert.ok(registry.find(account))
  }))

test('events go an hour after they were made or last seen, and not before', () =>
  withRegistry(async ({ registry }) => {
    const event = (name: string, times: Record<string, unknown>): ApiObject => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: 'default' },
      involvedObject: {},
      ...times,
    })
    const now = Date.now()
    const inHours = (hours: number) => new Date(now + hours * 3_600_000)
    const made: Readonly<Record<string, Record<string, unknown>>> = {
      brought: { lastTimestamp: inHours(-2).toISOString() },
      counted: { firstTimestamp: inHours(-2).toISOString(), lastTimestamp: inHours(0.5).toISOString() },
      timeless: {},
      nonsense: { lastTimestamp: 'yesterday' },
      prophetic: { lastTimestamp: inHours(1_000).toISOString() },
    }
    for (const [name, times] of Object.entries(made))
      await registry.create(Event as Kind, 'default', event(name, times))
    const leftAfter = async (hours: number) => {
      await expireEvents(registry, inHours(hours))
      return [...registry.feed.cache(Event).entries.from('')].map(({ name }) => name)
    }
    assert.equal(await leftAfter(1.1), ['counted', 'prophetic'])
    assert.equal(await leftAfter(1.6), ['prophetic'])
    assert.equal(await leftAfter(2.2), [])
  }))

test('a unit is scaled in the shape of a Scale', () => {
  const unit = {
    ...unitObject('web@.service', { uid: 'u', resourceVersion: '7' }, { replicas: 3 }),
    status: { replicas: 2 },
  }
  assert.equal(JSON.parse(toScale(UNIT, Buffer.from(JSON.stringify(unit)))), {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name: 'web@.service', uid: 'u', resourceVersion: '7' },
    spec: { replicas: 3 },
    status: { replicas: 2 },
  })
  const scaled = fromScale(UNIT, unit, { spec: { replicas: 5 }, metadata: { resourceVersion: '7' } })
  assert.is((scaled.spec as { replicas: number }).replicas, 5)
  assert.is(scaled.metadata.resourceVersion, undefined, 'the version as it is says nothing')
  assert.is(fromScale(UNIT, unit, { spec: {}, metadata: { resourceVersion: '6' } }).metadata.resourceVersion, '6')
})

const BAD_SCALES: readonly (readonly [unknown, number])[] = [
  ['x', 400],
  [null, 400],
  [[], 400],
  [{ kind: 'Unit', spec: { replicas: 1 } }, 400],
  [{ apiVersion: 'v1', spec: { replicas: 1 } }, 400],
  [{ metadata: { name: 'other' }, spec: { replicas: 1 } }, 400],
  [{ metadata: { resourceVersion: 7 }, spec: { replicas: 1 } }, 400],
  [{ spec: { replicas: '3' } }, 400],
  [{ spec: { replicas: 1.5 } }, 400],
  [{ spec: { replicas: -1 } }, 422],
]

for (const [scale, code] of BAD_SCALES)
  test(`a Scale of ${JSON.stringify(scale)} is refused with ${code}`, () => {
    try {
      fromScale(UNIT, unitObject('web@.service'), scale)
      assert.unreachable()
    } catch (error) {
      assert.is((error as StatusError).status?.code, code)
    }
  })

test.run()
