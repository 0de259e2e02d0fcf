/** The feed's promise: whatever the store forgets, what is served becomes what is stored, and nobody is misled. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { JSON_FORMAT } from '../../../../api-server/registry/change.ts'
import { changesOf } from '../../../../api-server/registry/changes-of.ts'
import { StatusError } from '../../../../api-server/registry/errors.ts'
import type { Registry } from '../../../../api-server/registry/registry.ts'
import { watch } from '../../../../api-server/registry/watch.ts'
import { openMemoryStore } from '../../../../api-server/store/memory.ts'
import { SlowWatcherError, type Store } from '../../../../api-server/store/store.ts'
import { timedStore } from '../../../../api-server/timed-store.ts'
import { failure, put, remove, write } from '../../../suites/store-backend.ts'
import { until } from '../../../support/until.ts'
import { at, createUnit, UNIT, withRegistry } from './with-registry.ts'

const test = suite('feed')

interface Cuttable extends Store {
  /** Ends every watch; none begins again until the result is called. */
  cut(): () => void
}

/** A store whose watches can be interrupted, as a lost link or a busy minute does it. */
function cuttable(store: Store): Cuttable {
  let cutting = new AbortController()
  let resumed = Promise.resolve()
  async function* following(...[range, options]: Parameters<Store['watch']>) {
    await resumed
    const { signal } = cutting
    const both = new AbortController()
    for (const one of [signal, options.signal]) one.addEventListener('abort', () => both.abort(), { once: true })
    yield* store.watch(range, { ...options, signal: both.signal })
    if (signal.aborted) throw new SlowWatcherError()
  }
  return Object.assign(
    timedStore(store, () => {}),
    {
      watch: following,
      cut: () => {
        let resume = () => {}
        resumed = new Promise((resolve) => {
          resume = resolve
        })
        cutting.abort()
        cutting = new AbortController()
        return resume
      },
    },
  )
}

const names = (registry: Registry) => [...registry.feed.cache(UNIT).entries.from('')].map(({ name }) => name)

/** Three units, of which one is changed, one is removed and one is added while the feed hears nothing. */
async function withLostHistory(use: (registry: Registry, store: Store, lose: () => Promise<bigint>) => Promise<void>) {
  const store = cuttable(openMemoryStore())
  await withRegistry(async ({ registry }) => {
    for (const name of ['changed.service', 'gone.service', 'same.service']) await createUnit(registry, name)
    const stored = (name: string) => store.get(`/r/flotilla.dev/units/-/${name}`)
    const text = Buffer.from((await stored('changed.service')).kv?.value ?? []).toString()
    const lose = async () => {
      const resume = store.cut()
      const key = (name: string) => `/r/flotilla.dev/units/-/${name}`
      await write(store, put(key('changed.service'), text.replace('/bin/true', '/bin/false')))
      await write(
        store,
        remove(key('gone.service')),
        put(key('new.service'), text.replace('changed.service', 'new.service')),
      )
      const revision = await write(store, put('/elsewhere'))
      await store.compact(revision)
      resume()
      return revision
    }
    await use(registry, store, lose)
  }, store)
}

test('a server that missed more than the history holds loads all anew and goes on', () =>
  withLostHistory(async (registry, _, lose) => {
    await lose()
    await until(() => names(registry).join() === 'changed.service,new.service,same.service', {
      what: 'it shows what is stored',
    })
    assert.match(registry.get(at('changed.service')).bytes.toString(), '/bin/false')
    await createUnit(registry, 'later.service')
    assert.ok(names(registry).includes('later.service'))
  }))

test("clients' watches end then, and whoever resumes one is told that it expired", () =>
  withLostHistory(async (registry, _, lose) => {
    const { version } = registry.get(at('same.service'))
    let ended = false
    const lines: Buffer[] = []
    const options = {
      after: version,
      format: JSON_FORMAT,
      ended: () => {
        ended = true
      },
    }
    await watch(registry, UNIT, options, (line) => lines.push(line))
    await lose()
    await until(() => ended, { what: 'the watch has ended' })
    const expired = await failure(watch(registry, UNIT, options, () => {}))
    assert.instance(expired, StatusError)
    assert.is((expired as StatusError).status.code, 410)
    const current = { after: registry.feed.revision, format: JSON_FORMAT }
    await watch(registry, UNIT, current, (line) => lines.push(line))
    await createUnit(registry, 'later.service')
    assert.ok(lines.some((line) => line.includes('later.service')))
  }))

test("the server's own readers are told of every object that is other than it was", () =>
  withLostHistory(async (registry, _, lose) => {
    const cache = registry.feed.cache(UNIT)
    const told: string[] = []
    cache.watchers.add({ deliver: ({ entry, key }) => void told.push(`${entry ? 'put' : 'gone'} ${key}`) }, undefined)
    const stop = new AbortController()
    const changes = changesOf(cache, stop.signal)
    await lose()
    await changes.next(10_000)
    await until(() => told.length >= 3, { what: 'they are told' })
    assert.equal(told.sort(), ['gone -/gone.service', 'put -/changed.service', 'put -/new.service'])
    stop.abort()
  }))

test.run()
