import { setImmediate as nextTurn } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import {
  InvalidTransactionError,
  MAX_OPERATIONS,
  prefixRange,
  type Store,
  type Transaction,
  UnavailableError,
} from '../../api-server/store/store.ts'
import { ALL, bytes, failure, type Promises, put, remove, text, write } from './store-backend.ts'

const UNFIT: Readonly<Record<string, Transaction>> = {
  'too many operations': {
    compare: [],
    operations: Array.from({ length: MAX_OPERATIONS + 1 }, (_, i) => put(`/${i}`)),
  },
  'a key twice': { compare: [], operations: [put('/a'), remove('/a')] },
  'an empty key': { compare: [], operations: [put('')] },
  'a key that is too long': { compare: [], operations: [put(`/${'x'.repeat(1024)}`)] },
  'a key that is no Unicode': { compare: [], operations: [put('/\ud800')] },
  'an unfit key in a compare': { compare: [{ key: '', modified: 0n }], operations: [put('/a')] },
}

async function increment(store: Store, key: string): Promise<void> {
  for (;;) {
    const { kv } = await store.get(key)
    const compare = [{ key, modified: kv?.modified ?? 0n }]
    const next = String(Number(text(kv) ?? '0') + 1)
    if ((await store.txn({ compare, operations: [put(key, next)] })).ok) return
  }
}

/** Revisions, transactions, compares and plain reads. */
export const BASICS: Promises = {
  'a transaction that writes raises the revision by one, and all its operations carry it': async (store) => {
    const before = store.revision
    assert.is(await write(store, put('/a'), put('/b'), put('/c')), before + 1n)
    const { items, revision } = await store.list(ALL)
    assert.equal(
      items.map(({ key, modified }) => `${key}@${modified}`),
      ['/a', '/b', '/c'].map((key) => `${key}@${before + 1n}`),
    )
    assert.is(revision, before + 1n)
    assert.is(store.revision, before + 1n)
  },

  'a transaction that writes nothing raises nothing': async (store) => {
    const revision = await write(store, put('/a'))
    assert.is(await write(store), revision)
    assert.is(await write(store, remove('/absent')), revision)
    assert.is(store.revision, revision)
  },

  'a key knows when it was created and last changed, anew after a delete': async (store) => {
    const created = await write(store, put('/a', '1'))
    const modified = await write(store, put('/a', '2'))
    assert.equal((await store.get('/a')).kv, { key: '/a', value: bytes('2'), created, modified })
    await write(store, remove('/a'))
    assert.is((await store.get('/a')).kv, undefined)
    const again = await write(store, put('/a', '3'))
    assert.equal((await store.get('/a')).kv, { key: '/a', value: bytes('3'), created: again, modified: again })
  },

  'a lost compare is a value that tells what is there, and writes nothing': async (store) => {
    const first = await write(store, put('/a', '1'))
    const result = await store.txn({
      compare: [
        { key: '/a', modified: first + 7n },
        { key: '/absent', modified: 0n },
      ],
      operations: [put('/b'), remove('/a')],
    })
    assert.equal(result, {
      ok: false,
      revision: first,
      current: [{ key: '/a', value: bytes('1'), created: first, modified: first }, undefined],
    })
    assert.is((await store.get('/b')).kv, undefined)
    assert.is(store.revision, first)
  },

  'a compare with zero creates only where nothing is': async (store) => {
    const create = { compare: [{ key: '/a', modified: 0n }], operations: [put('/a')] }
    assert.is((await store.txn(create)).ok, true)
    assert.is((await store.txn(create)).ok, false)
  },

  'of many writers that count up one key by compare and write, none is lost': async (store) => {
    const writer = async () => {
      for (let i = 0; i < 10; i++) await increment(store, '/count')
    }
    await Promise.all(Array.from({ length: 16 }, writer))
    assert.is(text((await store.get('/count')).kv), '160')
  },

  'a range is half open and in the order of the keys bytes': async (store) => {
    const inOrder = ['/', '/a', '/a\0', '/a/b', '/a0', '/b', '/é', '/\uffee', '/\u{1f600}']
    await write(store, ...inOrder.toReversed().map((key) => put(key)))
    const keysOf = async (start: string, end: string) => (await store.list({ start, end })).items.map(({ key }) => key)
    assert.equal(await keysOf('', '\u{10ffff}'), inOrder)
    assert.equal(await keysOf('/a', '/b'), ['/a', '/a\0', '/a/b', '/a0'])
    assert.equal(await keysOf('/\uffee', '/\u{1f600}'), ['/\uffee'])
    assert.equal(await keysOf('/b', '/a'), [])
    const { start, end } = prefixRange('/a/')
    assert.equal(await keysOf(start, end), ['/a/b'])
  },

  'a limited list says whether there is more': async (store) => {
    await write(store, put('/a'), put('/b'), put('/c'))
    const page = await store.list(ALL, { limit: 2 })
    assert.equal([page.items.map(({ key }) => key), page.more], [['/a', '/b'], true])
    const rest = await store.list({ ...ALL, start: '/b\0' }, { limit: 2 })
    assert.equal([rest.items.map(({ key }) => key), rest.more], [['/c'], false])
  },

  'values of every size come back byte for byte': async (store) => {
    for (const size of [0, 1, 1_000, 4_096, 70_000, 1_500_000]) {
      const value = Buffer.alloc(size, `${size}:`)
      await store.txn({ compare: [], operations: [{ do: 'put', key: `/${size}`, value }] })
      const { kv } = await store.get(`/${size}`)
      assert.ok(kv && Buffer.compare(kv.value, value) === 0, `${size} bytes`)
    }
    const sizes = (await store.list(ALL)).items.map(({ value }) => value.byteLength)
    assert.equal(sizes, [0, 1, 1_000, 1_500_000, 4_096, 70_000])
  },

  'a transaction that breaks a limit is refused and writes nothing': async (store) => {
    for (const [what, transaction] of Object.entries(UNFIT)) {
      assert.instance(await failure(store.txn(transaction)), InvalidTransactionError, what)
    }
    assert.equal((await store.list(ALL)).items, [])
  },

  'a transaction of as many operations as allowed is written whole': async (store) => {
    const keys = Array.from({ length: MAX_OPERATIONS }, (_, i) => `/${String(i).padStart(3, '0')}`)
    await write(store, ...keys.map((key) => put(key)))
    assert.equal(
      (await store.list(ALL)).items.map(({ key }) => key),
      keys,
    )
  },

  'an aborted call rejects with the reason of its signal': async (store) => {
    const reason = new Error('enough')
    const options = { signal: AbortSignal.abort(reason) }
    const calls = [
      store.txn({ compare: [], operations: [put('/a')] }, options),
      store.get('/a', options),
      store.list(ALL, options),
    ]
    for (const call of calls) assert.is(await failure(call), reason)
    assert.is((await store.get('/a')).kv, undefined)
  },

  'the newest revision that is asked for is at least that of every write answered before, and watches have had it':
    async (store) => {
      const seen: bigint[] = []
      const stop = new AbortController()
      const follow = async () => {
        for await (const batch of store.watch(ALL, { after: store.revision, signal: stop.signal }))
          seen.push(...batch.map(({ kv }) => kv.modified))
      }
      const following = follow()
      assert.is(await store.readRevision(), store.revision)
      for (let i = 0; i < 5; i++) {
        const revision = await write(store, put('/a', String(i)))
        const [first, second] = await Promise.all([store.readRevision(), store.readRevision()])
        assert.equal([first, second], [revision, revision])
        await nextTurn()
        assert.is(seen.at(-1), revision)
      }
      const reason = new Error('enough')
      assert.is(await failure(store.readRevision({ signal: AbortSignal.abort(reason) })), reason)
      stop.abort()
      await following
    },

  'a closed store takes no writes': async (store) => {
    await store[Symbol.asyncDispose]()
    assert.instance(await failure(store.txn({ compare: [], operations: [put('/a')] })), UnavailableError)
  },
}
