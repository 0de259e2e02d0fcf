import { setImmediate as nextTurn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { JSON_FORMAT } from '../../../../api-server/registry/change.ts'
import type { Filter } from '../../../../api-server/registry/entry.ts'
import { StatusError } from '../../../../api-server/registry/errors.ts'
import { KindCache } from '../../../../api-server/registry/kind-cache.ts'
import type { Registry } from '../../../../api-server/registry/registry.ts'
import { parseFieldSelector, parseLabelSelector } from '../../../../api-server/registry/selectors.ts'
import { watch } from '../../../../api-server/registry/watch.ts'
import { openMemoryStore } from '../../../../api-server/store/memory.ts'
import { at, createUnit, label, UNIT, unitObject, withRegistry } from './with-registry.ts'

const test = suite('watches')

interface Told {
  readonly type: string
  readonly name: string
  readonly version: bigint
  readonly labels: Record<string, string>
}

const read = (line: Buffer): Told => {
  const { type, object } = JSON.parse(line.toString())
  const { name, resourceVersion, labels = {} } = object.metadata
  return { type, name, version: BigInt(resourceVersion), labels }
}

const short = ({ type, name }: Told) => `${type} ${name}`

async function watching(registry: Registry, after: bigint | undefined, filter: Filter = {}) {
  const told: Told[] = []
  const early: Told[] = []
  let begun = false
  const subscription = await watch(registry, UNIT, { ...filter, after, format: JSON_FORMAT }, (line) =>
    (begun ? told : early).push(read(line)),
  )
  told.push(...[...subscription.initial].map(read), ...early)
  begun = true
  return { told, subscription }
}

test('without a version there is first what is, then what comes', () =>
  withRegistry(async ({ registry }) => {
    await createUnit(registry, 'b.service')
    await createUnit(registry, 'a.service')
    const { told } = await watching(registry, undefined)
    await label(registry, 'a.service', { x: '1' })
    await registry.delete(at('b.service'))
    assert.equal(told.map(short), ['ADDED a.service', 'ADDED b.service', 'MODIFIED a.service', 'DELETED b.service'])
  }))

test('from a version on there is what came after it, each change under its own version', () =>
  withRegistry(async ({ registry }) => {
    const first = await createUnit(registry, 'a.service')
    const second = await label(registry, 'a.service', { x: '1' })
    await registry.delete(at('a.service'))
    const { told } = await watching(registry, first)
    assert.equal(told.map(short), ['MODIFIED a.service', 'DELETED a.service'])
    assert.equal(
      told.map(({ version }) => version),
      [second, second + 1n],
    )
    assert.equal(told[1]?.labels, { x: '1' }, 'a deletion carries the last state')
  }))

test('from a version of the future on there is silence until it has passed', () =>
  withRegistry(async ({ registry }) => {
    const { told } = await watching(registry, registry.feed.revision + 2n)
    for (const name of ['a.service', 'b.service', 'c.service']) await createUnit(registry, name)
    assert.equal(told.map(short), ['ADDED c.service'])
  }))

test('an object that begins to match is added, one that ceases to match is deleted in its last matching state', () =>
  withRegistry(async ({ registry }) => {
    await createUnit(registry, 'a.service')
    const { told } = await watching(registry, registry.feed.revision, { labels: parseLabelSelector('tier=fe') })
    await label(registry, 'a.service', { tier: 'fe' })
    await label(registry, 'a.service', { tier: 'fe', more: '1' })
    const version = await label(registry, 'a.service', { tier: 'be' })
    await label(registry, 'a.service', {})
    assert.equal(told.map(short), ['ADDED a.service', 'MODIFIED a.service', 'DELETED a.service'])
    assert.equal(told[2], { type: 'DELETED', name: 'a.service', version, labels: { tier: 'fe', more: '1' } })
  }))

test('a unit that moves between machines is deleted for the one and added for the other', () =>
  withRegistry(async ({ registry }) => {
    const on = (name: string) => ({ fields: parseFieldSelector(`spec.machineName=${name}`, UNIT) })
    const [m1, m2] = [await watching(registry, undefined, on('m1')), await watching(registry, undefined, on('m2'))]
    await createUnit(registry, 'a.service', {}, { machineName: 'm1' })
    await registry.update(at('a.service'), () => unitObject('a.service', {}, { machineName: 'm2' }), undefined)
    assert.equal(m1.told.map(short), ['ADDED a.service', 'DELETED a.service'])
    assert.equal(m2.told.map(short), ['ADDED a.service'])
  }))

test('who has left hears nothing more', () =>
  withRegistry(async ({ registry }) => {
    const { told, subscription } = await watching(registry, undefined)
    subscription.cancel()
    await createUnit(registry, 'a.service')
    assert.equal(told, [])
    assert.is(registry.feed.cache(UNIT).watchers.size, 0)
  }))

test('history that is gone is 410 Expired, in the words clients know', () =>
  withRegistry(
    async ({ registry }) => {
      const first = await createUnit(registry, 'a.service')
      for (let n = 0; n < 60; n++) await label(registry, 'a.service', { n: String(n) })
      registry.feed.cache(UNIT).reset(registry.feed.revision)
      const error = await watching(registry, first).catch((failure: unknown) => failure)
      assert.instance(error, StatusError)
      const { code, reason, message } = (error as StatusError).status
      assert.equal([code, reason], [410, 'Expired'])
      assert.is(message, `too old resource version: ${first} (${registry.feed.revision})`)
    },
    openMemoryStore({ historyMaxChanges: 10 }),
  ))

test('what the ring has forgotten comes from the store’s history', () =>
  withRegistry(async ({ registry }) => {
    const first = await createUnit(registry, 'a.service')
    for (let n = 0; n < 20; n++) await label(registry, 'a.service', { n: String(n) })
    registry.feed.cache(UNIT).reset(registry.feed.revision)
    for (let n = 20; n < 30; n++) await label(registry, 'a.service', { n: String(n) })
    const { told } = await watching(registry, first)
    assert.equal(
      told.map(({ labels }) => labels.n),
      Array.from({ length: 30 }, (_, n) => String(n)),
    )
  }))

/** What a client that lists, watches and comes back now and then ends up with. */
class Mirror {
  readonly state = new Map<string, string>()
  version = 0n
  readonly #matches: (labels: Record<string, string>) => boolean

  constructor(matches: (labels: Record<string, string>) => boolean) {
    this.#matches = matches
  }

  hear({ type, name, version, labels }: Told): void {
    assert.ok(version > this.version, `${type} ${name} at ${version} after ${this.version}: no repeat, in order`)
    assert.is(this.state.has(name), type !== 'ADDED', `${type} ${name}`)
    if (type === 'DELETED') this.state.delete(name)
    else {
      assert.ok(this.#matches(labels))
      this.state.set(name, String(version))
    }
    this.version = version
  }
}

test('under random writes, resumed at random, no change is missed and none comes twice', async () => {
  const write = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    tier: fc.constantFrom('fe', 'be'),
    gone: fc.boolean(),
  })
  const step = fc.oneof(
    { weight: 6, arbitrary: write.map((value) => ({ do: 'write' as const, ...value })) },
    { weight: 1, arbitrary: fc.constant({ do: 'resume' as const }) },
    { weight: 1, arbitrary: fc.constant({ do: 'forget' as const }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, selective) =>
      withRegistry(async ({ registry }) => {
        const matches = (labels: Record<string, string>) => !selective || labels.tier === 'fe'
        const filter = selective ? { labels: parseLabelSelector('tier=fe') } : {}
        const mirror = new Mirror(matches)
        mirror.version = registry.feed.revision
        let current = await watching(registry, mirror.version, filter)
        const catchUp = () => {
          for (const told of current.told.splice(0)) mirror.hear(told)
        }
        for (const one of steps) {
          if (one.do === 'write') void randomWrite(registry, `${one.name}.service`, one)
          else if (one.do === 'forget') registry.feed.cache(UNIT).reset(registry.feed.revision)
          else {
            current.subscription.cancel()
            catchUp()
            current = await watching(registry, mirror.version, filter)
          }
          await nextTurn()
        }
        await nextTurn()
        catchUp()
        const expected = [...registry.feed.cache(UNIT).entries.from('')].filter(({ labels }) => matches(labels ?? {}))
        assert.equal([...mirror.state].sort(), expected.map(({ name, version }) => [name, String(version)]).sort())
        current.subscription.cancel()
      }),
    ),
    { numRuns: 150, seed: 9 },
  )
})

async function randomWrite(registry: Registry, name: string, { tier, gone }: { tier: string; gone: boolean }) {
  if (registry.find(at(name)) === undefined) await createUnit(registry, name, { labels: { tier } })
  else if (gone) await registry.delete(at(name))
  else await label(registry, name, { tier, n: String(registry.feed.revision) })
}

test('the ring keeps the newest changes within its bounds', () => {
  const cache = new KindCache(UNIT)
  cache.reset(0n)
  const stored = cache.encoding.encode(unitObject('a.service', {}, { content: 'x'.repeat(100_000) }))
  for (let version = 1n; version <= 1_000n; version++) cache.put('-/a.service', stored, version)
  const { oldestVersion } = cache
  assert.ok(oldestVersion > 800n && oldestVersion < 1_000n, `${oldestVersion}`)
  assert.is(cache.since(oldestVersion - 1n), undefined)
  assert.equal(
    cache.since(oldestVersion)?.map(({ version }) => version),
    Array.from({ length: Number(1_000n - oldestVersion) }, (_, n) => oldestVersion + 1n + BigInt(n)),
  )
  assert.equal(cache.since(1_000n), [])
})

test.run()
