/** What one etcd sets bounds to, forgets, refuses and shares; over TLS with client certificates. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { openPki } from '../../api-server/auth/pki.ts'
import { type EtcdOptions, type EtcdStore, openEtcdStore } from '../../api-server/store/etcd/etcd.ts'
import { CompactedError, InvalidTransactionError, UnavailableError } from '../../api-server/store/store.ts'
import { ALL, bytes, failure, put, remove, shown, text, write } from '../suites/store-backend.ts'
import { type EtcdMember, startEtcd } from '../support/etcd.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { watching } from './store-watching.ts'

const test = suiteOf('etcd store: limits', { needs: ['etcd'] })

interface Shared {
  etcd: EtcdMember
  options: { endpoints: string[]; tls: { ca: Buffer; certificate: Buffer; key: Buffer } }
}

const shared = {} as Shared
let prefixes = 0

/** An authority of its own, its server's files and a client of it. */
async function credentials() {
  const folder = tempDir()
  const pki = await openPki(folder)
  const server = await pki.serverCredentials(['127.0.0.1'])
  const client = await pki.storedClient('api-server', { commonName: 'flotilla:api-server' })
  const write = (name: string, content: string) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const ca = write('ca.pem', pki.caCertificate)
  return {
    server: { ca, certificate: write('server.pem', server.certificate), key: write('server-key.pem', server.key) },
    client: { ca, certificate: write('client.pem', client.certificate), key: write('client-key.pem', client.key) },
    options: {
      ca: Buffer.from(pki.caCertificate),
      certificate: Buffer.from(client.certificate),
      key: Buffer.from(client.key),
    },
  }
}

test.before(async () => {
  const { server, client, options } = await credentials()
  shared.etcd = await startEtcd({ tls: { server, client } })
  shared.options = { endpoints: [shared.etcd.url], tls: options }
})

test.after(async () => shared.etcd[Symbol.asyncDispose]())

/** A store of its own on the shared etcd, for the time of `use`. */
async function withStore(use: (store: EtcdStore) => Promise<void> | void, options: Partial<EtcdOptions> = {}) {
  await using store = await openEtcdStore({ ...shared.options, prefix: `/limits/${++prefixes}`, ...options })
  await use(store)
}

test('a watcher that paused while its history was compacted is told so', async () => {
  await withStore(async (store) => {
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
  let nowMs = 1_000_000
  const options = { historyMaxChanges: 10, historyMaxAgeMs: 60_000, now: () => nowMs }
  await withStore(async (store) => {
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
  }, options)
})

test('when etcd is out of space writes are refused with what to do, and reads and watches go on', async () => {
  await using etcd = await startEtcd({ args: ['--quota-backend-bytes', String(2 * 1024 * 1024)] })
  const options = { endpoints: [etcd.url], tls: {} }
  await withStore(async (store) => {
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
  }, options)
})

test('what is more than etcd takes in one request is a mistake of the caller, told with the limit', async () => {
  await withStore(async (store) => {
    for (const size of [1_800_000, 3_000_000]) {
      const refusal = await failure(write(store, put('/a', 'x'.repeat(size))))
      assert.instance(refusal, InvalidTransactionError, String(size))
      assert.match(String(refusal), '--max-request-bytes')
    }
    await write(store, put('/a', 'fits'))
  })
})

test('two stores over one etcd agree on revisions, and each is told what the other writes', async () => {
  const prefix = '/two'
  await using one = await openEtcdStore({ ...shared.options, prefix })
  await using other = await openEtcdStore({ ...shared.options, prefix })
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
  const { ctl } = shared.etcd
  const prefix = '/beside'
  await withStore(
    async (store) => {
      const revision = await write(store, put('/a', '1'))
      for (let i = 0; i < 5; i++) await ctl('put', 'foreign', String(i))
      const status = JSON.parse(await ctl('endpoint', 'status', '-w', 'json'))
      await ctl('compact', String(status[0].Status.header.revision))
      assert.is(await store.readRevision(), revision)
      assert.is((await store.list(ALL)).revision, revision)
      assert.is(text((await store.get('/a', { at: revision })).kv), '1')
      await using late = await openEtcdStore({ ...shared.options, prefix })
      const watch = watching(late, revision)
      const next = await write(store, put('/a', '2'))
      await until(() => watch.seen.length > 0, { what: 'the event' })
      assert.equal(watch.seen.map(shown), [`put /a=2 @${next}`])
      await watch.stop()
    },
    { prefix },
  )
})

test('who shows no certificate, or one of another authority, gets nothing, and is told why', async () => {
  const timeouts = { attemptMs: 500, callMs: 1_000 }
  for (const tls of [{}, { ca: shared.options.tls.ca }, (await credentials()).options]) {
    const error = await failure(openEtcdStore({ ...shared.options, tls, timeouts }))
    assert.instance(error, UnavailableError)
    assert.match(String(error), /no etcd endpoint answers: https:.*(certificate|SSL|ECONNRESET|socket|closed)/i)
  }
})

test.run()
