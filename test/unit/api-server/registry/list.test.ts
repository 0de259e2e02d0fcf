import { setImmediate as nextTurn } from 'node:timers/promises'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { StatusError } from '../../../../api-server/registry/errors.ts'
import { type ListOptions, list } from '../../../../api-server/registry/list.ts'
import type { Registry } from '../../../../api-server/registry/registry.ts'
import { Lease } from '../../../../crds/index.ts'
import type { Kind } from '../../../../crds/kind.ts'
import { at, createUnit, label, UNIT, withRegistry } from './with-registry.ts'

const test = suite('lists')

const names = (entries: Iterable<{ name: string }>) => [...entries].map(({ name }) => name)
const numbered = (count: number) => Array.from({ length: count }, (_, n) => `u${String(n).padStart(4, '0')}.service`)

/** Every page of a list; `between` runs before each page but the first. */
async function pages(registry: Registry, limit: number, between: () => Promise<unknown>, options: ListOptions = {}) {
  const seen: { name: string; version: bigint }[] = []
  let page = await list(registry, UNIT, { ...options, limit })
  for (;;) {
    seen.push(...[...page.entries].map(({ name }) => ({ name, version: page.version })))
    if (page.continueToken === undefined) return seen
    await between()
    page = await list(registry, UNIT, { ...options, limit, continueToken: page.continueToken })
  }
}

test('all pages tell the state of the first one while writers go on', () =>
  withRegistry(async ({ registry }) => {
    const all = numbered(60)
    for (const name of all) await createUnit(registry, name)
    const random = fc.sample(fc.nat(59), { numRuns: 200, seed: 8 })
    const churn = async () => {
      const name = all[random.pop() ?? 0] ?? ''
      if (registry.find(at(name))) await registry.delete(at(name))
      else await createUnit(registry, name)
      await createUnit(registry, `new${random.length}.service`)
    }
    const seen = await pages(registry, 7, churn)
    assert.equal(names(seen), all)
    assert.is(new Set(seen.map(({ version }) => version)).size, 1)
  }))

test('a selector holds over all pages', () =>
  withRegistry(async ({ registry }) => {
    for (const [n, name] of numbered(40).entries()) await createUnit(registry, name, { labels: { odd: String(n % 2) } })
    const labels = [{ key: 'odd', operator: 'in' as const, values: ['1'] }]
    const seen = await pages(registry, 6, () => label(registry, 'u0001.service', { odd: '0' }), { labels })
    assert.equal(
      names(seen),
      numbered(40).filter((_, n) => n % 2 === 1),
    )
  }))

test('a list that is being sent does not show what is written meanwhile', () =>
  withRegistry(async ({ registry }) => {
    for (const name of numbered(300)) await createUnit(registry, name)
    const { entries } = await list(registry, UNIT, {})
    const seen: string[] = []
    for (const { name } of entries) {
      if (seen.push(name) % 50 === 0)
        await registry.delete(at(`u0${300 - seen.length - 1}.service`)).catch(() => nextTurn())
    }
    assert.equal(seen, numbered(300))
  }))

test('how many follow is told on the first page, where nothing was left out', () =>
  withRegistry(async ({ registry }) => {
    for (const name of numbered(10)) await createUnit(registry, name)
    assert.is((await list(registry, UNIT, { limit: 4 })).remaining, 6)
    assert.is((await list(registry, UNIT, { limit: 10 })).continueToken, undefined)
    assert.is((await list(registry, UNIT, { limit: 0 })).entries.length, 10)
    const labels = [{ key: 'a', operator: 'absent' as const, values: [] }]
    assert.is((await list(registry, UNIT, { limit: 4, labels })).remaining, undefined)
  }))

test('a list at an exact version is the state of then', () =>
  withRegistry(async ({ registry }) => {
    await createUnit(registry, 'a.service')
    const then = registry.feed.revision
    await createUnit(registry, 'b.service')
    await registry.delete(at('a.service'))
    const old = await list(registry, UNIT, { version: then, exact: true })
    assert.equal([names(old.entries), old.version], [['a.service'], then])
    assert.equal(names((await list(registry, UNIT, { version: then })).entries), ['b.service'])
  }))

test('a namespace’s list, old or new, ends where the namespace does', () =>
  withRegistry(async ({ registry }) => {
    const lease = Lease as Kind
    const make = (namespace: string, name: string) =>
      registry.create(lease, namespace, { apiVersion: lease.apiVersion, kind: 'Lease', metadata: { name, namespace } })
    for (const namespace of ['a', 'a-b', 'ab', 'b']) for (const name of ['x', 'y', 'z']) await make(namespace, name)
    const version = registry.feed.revision
    await make('a', 'later')
    const old = await list(registry, lease, { namespace: 'a', version, exact: true, limit: 2 })
    assert.equal(names(old.entries), ['x', 'y'])
    const rest = await list(registry, lease, { namespace: 'a', limit: 2, continueToken: old.continueToken })
    assert.equal([names(rest.entries), rest.continueToken], [['z'], undefined])
    assert.equal(names((await list(registry, lease, { namespace: 'a' })).entries), ['later', 'x', 'y', 'z'])
  }))

const refusal = (promise: Promise<unknown>): Promise<StatusError['status']> =>
  promise.then(
    () => Promise.reject(new Error('it succeeded, a refusal was expected')),
    (error: unknown) => (error instanceof StatusError ? error.status : Promise.reject(error)),
  )

test('a token older than the history is 410 Expired', () =>
  withRegistry(async ({ registry, store }) => {
    for (const name of numbered(10)) await createUnit(registry, name)
    const { continueToken } = await list(registry, UNIT, { limit: 3 })
    await registry.delete(at('u0009.service'))
    await store.compact(store.revision)
    const { code, reason } = await refusal(list(registry, UNIT, { limit: 3, continueToken }))
    assert.equal([code, reason], [410, 'Expired'])
  }))

const token = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

for (const [title, bad] of [
  ['nonsense', 'x'],
  ['another API’s', token({ v: 'meta.k8s.io/v1', rv: 5, start: 'a' })],
  ['a version that is no number', token({ v: 'flotilla.dev/v1', rv: 'x', start: 'a' })],
  ['a version of the future', token({ v: 'flotilla.dev/v1', rv: '9999999999999999999', start: 'a' })],
  ['no start', token({ v: 'flotilla.dev/v1', rv: '5' })],
  ['null', token(null)],
] as const)
  test(`a token that is ${title} is 400`, () =>
    withRegistry(async ({ registry }) => {
      assert.is((await refusal(list(registry, UNIT, { limit: 3, continueToken: bad }))).code, 400)
    }))

test('a version that does not come is 504, and nobody is left waiting for it', () =>
  withRegistry(async ({ registry }) => {
    assert.is(await registry.feed.reachedWithin(registry.feed.revision + 5n, 5), false)
    const later = registry.feed.reachedWithin(registry.feed.revision + 1n, 5_000)
    await createUnit(registry, 'a.service')
    assert.is(await later, true)
  }))

test.run()
