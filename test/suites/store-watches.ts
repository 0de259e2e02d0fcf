import * as assert from 'uvu/assert'
import { type Event, prefixRange, SlowWatcherError, type Store } from '../../api-server/store/store.ts'
import { within } from '../support/within.ts'
import { ALL, failure, type Promises, put, remove, shown, text, watched, withStore, write } from './store-backend.ts'

/** Follows in the background; `seen` grows as deliveries come, `ended` settles when the watch does. */
function following(store: Store, after: bigint, range = ALL) {
  const stop = new AbortController()
  const seen: Event[] = []
  const run = async () => {
    for await (const batch of store.watch(range, { after, signal: stop.signal })) seen.push(...batch)
  }
  return { seen, stop: () => stop.abort(), ended: run() }
}

async function firstOf(deliveries: AsyncIterator<readonly Event[]>): Promise<readonly Event[]> {
  const { value } = await within(5_000, deliveries.next(), 'a delivery')
  return value ?? []
}

/** Deliveries: complete, in order, whole transactions, bounded, and in time with the writer's own answer. */
export const WATCHES: Promises = {
  'a watch tells the past and then the present without gap or repeat while writers go on': async (store) => {
    const after = store.revision
    const writer = async (name: string) => {
      for (let i = 0; i < 40; i++) await write(store, put(`/${name}/${i % 5}`, String(i)))
    }
    const early = following(store, after)
    await Promise.all([writer('a'), writer('b'), writer('c')])
    const half = after + 60n
    const [all, late] = await Promise.all([
      watched(store, { after, until: store.revision }),
      watched(store, { after: half, until: store.revision }),
    ])
    const revisions = all.flat().map(({ kv }) => kv.modified)
    assert.equal(
      revisions,
      Array.from({ length: 120 }, (_, i) => after + 1n + BigInt(i)),
    )
    assert.equal(late.flat().map(shown), all.flat().slice(60).map(shown))
    early.stop()
    await early.ended
    assert.equal(early.seen.map(shown), all.flat().map(shown))
  },

  'a watch with an end tells what lies up to there, all of it and nothing beyond, and ends by itself': async (
    store,
  ) => {
    const after = await write(store, put('/a', '1'))
    await write(store, put('/a', '2'), put('/b', '2'))
    const end = await write(store, remove('/a'))
    await write(store, put('/c', 'beyond'))
    const read = async (until: bigint, range = ALL) => {
      const seen: Event[] = []
      const { signal } = new AbortController()
      for await (const batch of store.watch(range, { after, until, signal })) seen.push(...batch)
      return seen.map(shown)
    }
    const told = [`put /a=2 @${end - 1n}`, `put /b=2 @${end - 1n}`, `delete /a @${end}`]
    assert.equal(await within(5_000, read(end), 'the end'), told)
    assert.equal(await within(5_000, read(end - 1n), 'the end'), told.slice(0, 2))
    assert.equal(await within(5_000, read(end, prefixRange('/nothing')), 'the end'), [])
    assert.equal(await within(5_000, read(after), 'the end'), [])
  },

  'the events of a transaction come together, in the order of its operations, with what was there before': async (
    store,
  ) => {
    const after = await write(store, put('/a', '1'), put('/b', '1'))
    const until = await write(store, put('/c', '2'), remove('/b'), put('/a', '2'))
    for (const batch of await watched(store, { after, until })) {
      assert.equal(batch.map(shown), [`put /c=2 @${until}`, `delete /b @${until}`, `put /a=2 @${until}`])
      assert.equal(
        batch.map(({ previous }) => text(previous)),
        [undefined, '1', '1'],
      )
      assert.is(batch[1]?.kv.value.byteLength, 0)
      assert.equal([batch[1]?.kv.created, batch[1]?.kv.modified], [after, until])
    }
  },

  'a watcher sees live what one who replays sees later, byte for byte': async (store) => {
    const after = store.revision
    const live = following(store, after)
    await write(store, put('/a', '1'))
    await Promise.all([write(store, put('/a', '2')), write(store, remove('/a')), write(store, put('/a', '3'))])
    const replayed = (await watched(store, { after, until: store.revision })).flat()
    live.stop()
    await live.ended
    const plain = (events: readonly Event[]) =>
      events.map((event) => ({ shown: shown(event), created: event.kv.created, previous: text(event.previous) }))
    assert.equal(plain(live.seen), plain(replayed))
  },

  'a watch is told of its range only': async (store) => {
    const after = store.revision
    const watch = following(store, after, prefixRange('/a/'))
    await write(store, put('/a/1'), put('/b/1'))
    await write(store, put('/a'), put('/a0'))
    await write(store, put('/a/2'))
    const later = await watched(store, { range: prefixRange('/a/'), after, until: store.revision })
    assert.equal(
      later.flat().map(({ kv }) => kv.key),
      ['/a/1', '/a/2'],
    )
    watch.stop()
    await watch.ended
    assert.equal(
      watch.seen.map(({ kv }) => kv.key),
      ['/a/1', '/a/2'],
    )
  },

  'a watch after a future revision waits for it': async (store) => {
    const now = await write(store, put('/a', '1'))
    const watch = following(store, now + 1n)
    await write(store, put('/a', '2'))
    const until = await write(store, put('/a', '3'))
    watch.stop()
    await watch.ended
    assert.equal(watch.seen.map(shown), [`put /a=3 @${until}`])
  },

  'who waits for a change is told of it together with its writer': async (store) => {
    const stop = new AbortController()
    const watch = store.watch(ALL, { after: store.revision, signal: stop.signal })[Symbol.asyncIterator]()
    for (let i = 0; i < 5; i++) {
      let delivered = 0n
      const delivery = watch.next().then(({ value }) => {
        delivered = value?.at(-1)?.kv.modified ?? 0n
      })
      const revision = await write(store, put('/a', String(i)))
      for (let microtasks = 0; microtasks < 10 && delivered < revision; microtasks++) await null
      assert.is(delivered, revision)
      await delivery
    }
    stop.abort()
  },

  'aborting ends a watch normally, waiting or not': async (store) => {
    const waiting = following(store, store.revision)
    await write(store, put('/a'))
    waiting.stop()
    await within(5_000, waiting.ended, 'the waiting watch')
    const signal = AbortSignal.abort()
    for await (const _ of store.watch(ALL, { after: 0n, signal })) assert.unreachable()
  },

  'a watcher that falls too far behind is cut and can go on from where it was': (_, backend) =>
    withStore(
      backend,
      async (store) => {
        const after = store.revision
        const stop = new AbortController()
        const watch = store.watch(ALL, { after, signal: stop.signal })[Symbol.asyncIterator]()
        const first = firstOf(watch)
        await write(store, put('/a', '0'))
        assert.is((await first).length, 1)
        for (let i = 1; i <= 20; i++) await write(store, put('/a', String(i)))
        assert.instance(await failure(watch.next()), SlowWatcherError)
        const rest = (await watched(store, { after: after + 1n, until: store.revision })).flat()
        assert.is(rest.length, 20)
        stop.abort()
      },
      { watchBounds: { maxEvents: 10, maxBytes: 1_000_000 } },
    ),

  'a watcher that leaves its loop is forgotten': async (store) => {
    const until = await write(store, put('/a'))
    const signal = new AbortController().signal
    for await (const batch of store.watch(ALL, { after: until - 1n, signal })) {
      assert.is(batch.length, 1)
      break
    }
    await write(store, put('/a'))
  },
}
