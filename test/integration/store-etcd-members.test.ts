/** Members of etcd die, freeze and lose their majority: what that must not do to those who write and watch. */
import * as assert from 'uvu/assert'
import { type EtcdOptions, type EtcdStore, openEtcdStore } from '../../api-server/store/etcd/etcd.ts'
import { type Event, type Revision, type Store, UnavailableError } from '../../api-server/store/store.ts'
import { failure, put, text, write } from '../suites/store-backend.ts'
import { type EtcdMember, startEtcd, startEtcdCluster } from '../support/etcd.ts'
import { suiteOf } from '../support/requirements.ts'
import { until } from '../support/until.ts'
import { within } from '../support/within.ts'
import { watching } from './store-watching.ts'

const WRITERS = 16
const test = suiteOf('etcd store: members lost', { needs: ['etcd'] })

/** A store on its members, for the time of `use`. */
async function withStore(
  members: readonly EtcdMember[],
  use: (store: EtcdStore) => Promise<void>,
  options: Partial<EtcdOptions> = {},
): Promise<void> {
  await using store = await openEtcdStore({ endpoints: members.map(({ url }) => url), ...options })
  await use(store)
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
      const enough = load.acknowledged.size + 50
      await until(() => load.acknowledged.size >= enough, { what: 'writes', timeoutMs: 15_000 })
      await etcd.crash()
      await etcd.restart()
    }
    const enough = load.acknowledged.size + 50
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
      await until(() => load.acknowledged.size >= 50, { what: 'writes', timeoutMs: 15_000 })
      await first.crash()
      const killed = load.acknowledged.size
      await until(() => load.acknowledged.size >= killed + 50, { what: 'writes without the first', timeoutMs: 15_000 })
      await first.restart()
      second.freeze()
      const frozen = load.acknowledged.size
      await until(() => load.acknowledged.size >= frozen + 50, { what: 'writes past the frozen', timeoutMs: 15_000 })
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
      const stop = new AbortController()
      const stopped = failure(store.readRevision({ signal: stop.signal }))
      stop.abort(new Error('enough'))
      assert.is(await within(500, stopped, 'the end of a call that was aborted'), stop.signal.reason)
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
      const compare = [{ key: '/c', modified: 0n }]
      etcd.freeze()
      const refusals = await Promise.all([
        failure(store.txn({ compare: [], operations: [put('/a', '2')] })),
        // Guarded, it is asked again until its time is up; then nobody knows either.
        failure(store.txn({ compare, operations: [put('/c')] })),
      ])
      etcd.thaw()
      for (const refusal of refusals) {
        assert.instance(refusal, UnavailableError)
        assert.match(String(refusal), 'may have been written or not')
      }
      // It was, or it was not, but never twice.
      await write(store, put('/b'))
      const { kv } = await store.get('/a')
      assert.ok((kv?.modified ?? 0n) <= store.revision - 1n)
    },
    { timeouts: { attemptMs: 500, callMs: 2_000 } },
  )
})

test.run()
