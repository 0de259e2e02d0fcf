/** What etcd and the links to it do to the store, and what it must not do to whoever uses it. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { type EtcdOptions, type EtcdStore, openEtcdStore } from '../../api-server/store/etcd/etcd.ts'
import {
  CompactedError,
  type Event,
  InvalidTransactionError,
  type Revision,
  type Store,
  UnavailableError,
} from '../../api-server/store/store.ts'
import { ALL, bytes, failure, put, remove, shown, text, write } from '../suites/store-backend.ts'
import { type EtcdMember, startEtcd, startEtcdCluster } from '../support/etcd.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'
import { within } from '../support/within.ts'

const WRITERS = 16
const test = suiteOf('etcd store: faults', { needs: ['etcd'] })

/** A store on its members, for the time of `use`. */
async function withStore(
  members: readonly EtcdMember[],
  use: (store: EtcdStore) => Promise<void>,
  options: Partial<EtcdOptions> = {},
): Promise<void> {
  await using store = await openEtcdStore({ endpoints: members.map(({ url }) => url), ...options })
  await use(store)
}

/** All that a watcher is told, in the order of the telling. */
function watching(store: Store, after: Revision) {
  const stop = new AbortController()
  const seen: Event[] = []
  const run = async () => {
    for await (const batch of store.watch(ALL, { after, signal: stop.signal })) seen.push(...batch)
  }
  const ended = run()
  ended.catch(() => undefined) // told to whoever stops it
  return {
    seen,
    async stop() {
      stop.abort()
      await ended
    },
  }
}

interface Load {
  /** `key=value` of every write that was acknowledged, and its revision. */
  readonly acknowledged: Map<string, Revision>
  readonly refused: unknown[]
  stop(): Promise<void>
}

/** Sixteen who each count up a key of their own, guarded by what they were last told. */
function writing(store: Store): Load {
  const acknowledged = new Map<string, Revision>()
  const refused: unknown[] = []
  let going = true
  async function one(key: string): Promise<void> {
    for (let n = 0, modified = 0n; going; n++) {
      const operations = [put(key, String(n))]
      const result = await store.txn({ compare: [{ key, modified }], operations }).catch((error: unknown) => error)
      if (result instanceof Error) refused.push(result)
      else if ((result as { ok: boolean }).ok)
        acknowledged.set(`${key}=${n}`, (result as { revision: Revision }).revision)
      else throw new Error(`${key}: somebody else has written it`)
      if (!(result instanceof Error)) modified = (result as { revision: Revision }).revision
      else modified = (await store.get(key)).kv?.modified ?? 0n
    }
  }
  const all = Promise.all(Array.from({ length: WRITERS }, (_, i) => one(`/w/${String(i).padStart(2, '0')}`)))
  all.catch(() => undefined)
  return {
    acknowledged,
    refused,
    async stop() {
      going = false
      await all
    },
  }
}

/** Every acknowledged write was told once, at its revision; revisions only rise, and nothing was told twice. */
function checkTold(seen: readonly Event[], { acknowledged }: Load): void {
  const told = new Map(seen.map(({ kv }) => [`${kv.key}=${text(kv)}`, kv.modified]))
  assert.is(told.size, seen.length, 'something was told twice')
  for (const [what, revision] of acknowledged) assert.is(told.get(what), revision, what)
  for (const [i, { kv }] of seen.entries()) assert.ok(i === 0 || kv.modified > (seen[i - 1]?.kv.modified ?? 0n))
}

async function checkKept(store: Store, { acknowledged }: Load): Promise<void> {
  const last = new Map<string, number>()
  for (const what of acknowledged.keys()) {
    const [key = '', n = '0'] = what.split('=')
    last.set(key, Number(n))
  }
  for (const [key, n] of last) assert.ok(Number(text((await store.get(key)).kv)) >= n, `${key}=${n} was lost`)
}

test(`when etcd is killed under ${WRITERS} writers no acknowledged write is lost and watchers see each event once`, async () => {
  await using etcd = await startEtcd()
  await withStore([etcd], async (store) => {
    const watch = watching(store, store.revision)
    const load = writing(store)
    for (let round = 1; round <= 2; round++) {
      const enough = load.acknowledged.size + 300
      await until(() => load.acknowledged.size >= enough, { what: 'writes', timeoutMs: 15_000 })
      await etcd.crash()
      await etcd.restart()
    }
    const enough = load.acknowledged.size + 100
    await until(() => load.acknowledged.size >= enough, { what: 'writes after the kills', timeoutMs: 15_000 })
    await load.stop()
    const newest = await store.readRevision()
    await until(() => (watch.seen.at(-1)?.kv.modified ?? 0n) >= newest, { what: 'all events' })
    await watch.stop()
    checkTold(watch.seen, load)
    await checkKept(store, load)
    assert.equal(load.refused, [], 'guarded writes are asked again, not refused')
    console.log(`${load.acknowledged.size} acknowledged writes, 2 kills, none lost`)
  })
})

test('of three members one may be killed and another frozen: calls and watches go on at those that are left', async () => {
  const members = await startEtcdCluster(3)
  const [first, second] = members as [EtcdMember, EtcdMember, EtcdMember]
  const timeouts = { attemptMs: 1_000, callMs: 10_000 }
  await withStore(
    members,
    async (store) => {
      const watch = watching(store, store.revision)
      const load = writing(store)
      await until(() => load.acknowledged.size >= 100, { what: 'writes', timeoutMs: 15_000 })
      await first.crash()
      const killed = load.acknowledged.size
      await until(() => load.acknowledged.size >= killed + 100, { what: 'writes without the first', timeoutMs: 15_000 })
      await first.restart()
      second.freeze()
      const frozen = load.acknowledged.size
      await until(() => load.acknowledged.size >= frozen + 100, { what: 'writes past the frozen', timeoutMs: 15_000 })
      second.thaw()
      await load.stop()
      const newest = await store.readRevision()
      await until(() => (watch.seen.at(-1)?.kv.modified ?? 0n) >= newest, { what: 'all events' })
      await watch.stop()
      checkTold(watch.seen, load)
      await checkKept(store, load)
    },
    { timeouts },
  )
  await Promise.all(members.map((member) => member[Symbol.asyncDispose]()))
})

test('a member that has lost its majority is no member: writes and reads say so within their deadline', async () => {
  const [first, ...others] = await startEtcdCluster(2)
  if (first === undefined) throw new Error('no member')
  const timeouts = { attemptMs: 1_000, callMs: 3_000 }
  await withStore(
    [first],
    async (store) => {
      await write(store, put('/a', '1'))
      await Promise.all(others.map((member) => member.crash()))
      const refusals = await within(
        8_000,
        Promise.all([failure(store.get('/a')), failure(store.txn({ compare: [], operations: [put('/b')] }))]),
        'both refusals',
      )
      for (const refusal of refusals) assert.instance(refusal, UnavailableError)
      await Promise.all(others.map((member) => member.restart()))
      assert.is(text((await store.get('/a')).kv), '1')
    },
    { timeouts },
  )
  await Promise.all([first, ...others].map((member) => member[Symbol.asyncDispose]()))
})

test('a write that nothing guards is not made twice: where nobody knows, the caller is told so', async () => {
  await using etcd = await startEtcd()
  await withStore(
    [etcd],
    async (store) => {
      await write(store, put('/a', '1'))
      etcd.freeze()
      const refusal = await failure(store.txn({ compare: [], operations: [put('/a', '2')] }))
      etcd.thaw()
      assert.instance(refusal, UnavailableError)
      assert.match(String(refusal), 'may have been written or not')
      // It was, or it was not, but never twice.
      await write(store, put('/b'))
      const { kv } = await store.get('/a')
      assert.ok((kv?.modified ?? 0n) <= store.revision - 1n)
    },
    { timeouts: { attemptMs: 500, callMs: 5_000 } },
  )
})

test('a watcher that paused while its history was compacted is told so', async () => {
  await using etcd = await startEtcd()
  await withStore([etcd], async (store) => {
    const after = store.revision
    const value = bytes('x'.repeat(5_000))
    const one = (i: number) => store.txn({ compare: [], operations: [{ do: 'put', key: `/${i % 3}`, value }] })
    for (let i = 0; i < 25; i++) await Promise.all(Array.from({ length: 100 }, (_, j) => one(j)))
    const watch = store.watch(ALL, { after, signal: new AbortController().signal })[Symbol.asyncIterator]()
    let seen = after
    const take = async () => {
      const { value: batch = [] } = await watch.next()
      for (const { kv, previous } of batch) {
        assert.is(kv.modified, seen + 1n, 'a gap')
        assert.ok(previous !== undefined || kv.created === kv.modified, 'what was there before is missing')
        seen = kv.modified
      }
    }
    await take()
    // Part of the rest is on its way by now and still whole; etcd can no longer tell what the later ones replaced.
    await store.compact(store.revision)
    const rest = async () => {
      while (seen < store.revision) await take()
    }
    assert.instance(await failure(rest()), CompactedError)
  })
})

test('history goes by itself as the policy says, and the present stays', async () => {
  await using etcd = await startEtcd()
  let nowMs = 1_000_000
  const options = { historyMaxChanges: 10, historyMaxAgeMs: 60_000, now: () => nowMs }
  await withStore(
    [etcd],
    async (store) => {
      const first = await write(store, put('/a', '0'))
      nowMs += 30_000
      for (let i = 1; i <= 20; i++) await write(store, put('/a', String(i)))
      await store.tidy()
      assert.is(text((await store.get('/a', { at: first })).kv), '0')
      nowMs += 120_000
      await store.tidy()
      assert.instance(await failure(store.get('/a', { at: first })), CompactedError)
      assert.is(text((await store.get('/a', { at: store.revision - 9n })).kv), '11')
      assert.is(text((await store.get('/a')).kv), '20')
    },
    options,
  )
})

test('when etcd is out of space writes are refused with what to do, and reads and watches go on', async () => {
  await using etcd = await startEtcd({ args: ['--quota-backend-bytes', String(2 * 1024 * 1024)] })
  await withStore([etcd], async (store) => {
    const kept = await write(store, put('/kept', '1'))
    const fill = async () => {
      for (let i = 0; i < 100; i++) await write(store, put('/fill', 'x'.repeat(100_000)))
    }
    const refusal = await failure(fill())
    assert.instance(refusal, UnavailableError)
    assert.match(String(refusal), /etcd is out of space: .*defrag.*alarm disarm/)
    assert.is(text((await store.get('/kept')).kv), '1')
    assert.ok((await store.readRevision()) > kept)
    await store.compact(store.revision)
    const freed = async () => {
      await etcd.ctl('defrag')
      await etcd.ctl('alarm', 'disarm')
      return write(store, remove('/fill'))
    }
    await until(freed, { what: 'space after compaction, as the error says', timeoutMs: 10_000 })
  })
})

test('what is more than etcd takes in one request is a mistake of the caller, told with the limit', async () => {
  await using etcd = await startEtcd()
  await withStore([etcd], async (store) => {
    for (const size of [1_800_000, 3_000_000]) {
      const refusal = await failure(write(store, put('/a', 'x'.repeat(size))))
      assert.instance(refusal, InvalidTransactionError, String(size))
      assert.match(String(refusal), '--max-request-bytes')
    }
    await write(store, put('/a', 'fits'))
  })
})

test('two stores over one etcd agree on revisions, and each is told what the other writes', async () => {
  await using etcd = await startEtcd()
  await using one = await openEtcdStore({ endpoints: [etcd.url] })
  await using other = await openEtcdStore({ endpoints: [etcd.url] })
  assert.is(one.clusterName, other.clusterName)
  const after = await one.readRevision()
  const watch = watching(other, after)
  const told: string[] = []
  for (let i = 0; i < 30; i++) {
    const revision = await write(i % 2 ? one : other, put(`/${i % 4}`, String(i)))
    told.push(`put /${i % 4}=${i} @${revision}`)
    assert.is(await one.readRevision(), revision)
    assert.is(await other.readRevision(), revision)
    await nextTurn()
    assert.is(watch.seen.at(-1)?.kv.modified, revision)
  }
  await watch.stop()
  assert.equal(watch.seen.map(shown), told)
})

test('others may share the etcd: their writes and compactions do not show', async () => {
  await using etcd = await startEtcd()
  await withStore([etcd], async (store) => {
    const revision = await write(store, put('/a', '1'))
    for (let i = 0; i < 20; i++) await etcd.ctl('put', 'foreign', String(i))
    const status = JSON.parse(await etcd.ctl('endpoint', 'status', '-w', 'json'))
    await etcd.ctl('compact', String(status[0].Status.header.revision))
    assert.is(await store.readRevision(), revision)
    assert.is((await store.list(ALL)).revision, revision)
    assert.is(text((await store.get('/a', { at: revision })).kv), '1')
    await withStore([etcd], async (late) => {
      const watch = watching(late, revision)
      const next = await write(store, put('/a', '2'))
      await until(() => watch.seen.length > 0, { what: 'the event' })
      assert.equal(watch.seen.map(shown), [`put /a=2 @${next}`])
      await watch.stop()
    })
  })
})

test.run()
