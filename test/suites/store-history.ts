import * as assert from 'uvu/assert'
import { CompactedError, FutureRevisionError, type Store } from '../../api-server/store/store.ts'
import { ALL, failure, type Promises, put, remove, shown, text, watched, write } from './store-backend.ts'

async function stateAt(store: Store, at: bigint): Promise<string[]> {
  return (await store.list(ALL, { at })).items.map((kv) => `${kv.key}=${text(kv)}`)
}

/** Older revisions: reading them, watching from them, forgetting them, and keeping them over a restart. */
export const HISTORY: Promises = {
  'every kept revision can be read as it was': async (store) => {
    const first = await write(store, put('/a', '1'), put('/b', '1'))
    const second = await write(store, put('/a', '2'), remove('/b'))
    const third = await write(store, put('/c', '3'), put('/b', '3'))
    assert.equal(await stateAt(store, first), ['/a=1', '/b=1'])
    assert.equal(await stateAt(store, second), ['/a=2'])
    assert.equal(await stateAt(store, third), ['/a=2', '/b=3', '/c=3'])
    const got = await store.get('/b', { at: first })
    assert.equal([text(got.kv), got.revision], ['1', first])
    assert.is((await store.get('/b', { at: second })).kv, undefined)
  },

  'the pages of a list at one revision fit together while the store changes': async (store) => {
    const at = await write(store, ...['/a', '/b', '/c', '/d', '/e'].map((key) => put(key, 'old')))
    const seen: string[] = []
    let start = ''
    for (let more = true; more; ) {
      await write(store, put(`/${seen.length}`), put('/c', 'new'), remove('/d'))
      const page = await store.list({ ...ALL, start }, { at, limit: 2 })
      seen.push(...page.items.map((kv) => `${kv.key}=${text(kv)}`))
      start = `${page.items.at(-1)?.key}\0`
      more = page.more
    }
    assert.equal(seen, ['/a=old', '/b=old', '/c=old', '/d=old', '/e=old'])
  },

  'a revision that does not exist yet cannot be read': async (store) => {
    const at = (await write(store, put('/a'))) + 1n
    assert.instance(await failure(store.get('/a', { at })), FutureRevisionError)
    assert.instance(await failure(store.list(ALL, { at })), FutureRevisionError)
  },

  'what was compacted cannot be read or watched; from there on all can': async (store) => {
    const first = await write(store, put('/a', '1'), put('/gone', '1'))
    await write(store, put('/a', '2'), remove('/gone'))
    const third = await write(store, put('/a', '3'))
    const fourth = await write(store, put('/a', '4'), put('/gone', '4'))
    await store.compact(third)
    await store.compact(third)
    await store.compact(first)
    assert.instance(await failure(store.get('/a', { at: first })), CompactedError)
    assert.instance(await failure(store.list(ALL, { at: first })), CompactedError)
    const error = await failure(watched(store, { after: first, until: fourth }))
    assert.instance(error, CompactedError)
    assert.equal(await stateAt(store, third), ['/a=3'])
    const [batch] = await watched(store, { after: third, until: fourth })
    assert.equal(batch?.map(shown), [`put /a=4 @${fourth}`, `put /gone=4 @${fourth}`])
    assert.equal(
      batch?.map(({ previous }) => text(previous)),
      ['3', undefined],
    )
  },

  'compacting everything keeps the present': async (store) => {
    for (let i = 0; i < 50; i++) await write(store, put(`/${i % 7}`, String(i)), i % 5 === 0 ? remove('/x') : put('/x'))
    const before = (await store.list(ALL)).items
    await store.compact(store.revision + 1_000n)
    assert.equal((await store.list(ALL)).items, before)
    assert.equal((await store.list(ALL, { at: store.revision })).items, before)
  },
}

export const RESTARTS: Promises = {
  'a restart keeps keys, revisions, history and what was compacted': async (_, { open, reopen }) => {
    if (reopen === undefined) return
    let store = await open()
    const first = await write(store, put('/a', '1'), put('/b', '1'))
    const second = await write(store, put('/a', '2'))
    const third = await write(store, remove('/b'))
    await store.compact(second)
    store = await reopen(store)
    assert.is(store.revision, third)
    assert.equal(await stateAt(store, second), ['/a=2', '/b=1'])
    assert.instance(await failure(store.get('/a', { at: first })), CompactedError)
    const fourth = await write(store, put('/c', '4'))
    assert.is(fourth, third + 1n)
    const events = (await watched(store, { after: second, until: fourth })).flat()
    assert.equal(events.map(shown), [`delete /b @${third}`, `put /c=4 @${fourth}`])
    assert.is(text(events[0]?.previous), '1')
    await store[Symbol.asyncDispose]()
  },
}
