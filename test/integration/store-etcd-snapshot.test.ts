/** Snapshots of the etcd store, restores into etcd, and servers that go on while their store is replaced. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { openEmbeddedStore } from '../../api-server/store/embedded.ts'
import { type EtcdOptions, type EtcdStore, openEtcdStore } from '../../api-server/store/etcd/etcd.ts'
import { restoreIntoEtcd } from '../../api-server/store/etcd/restore.ts'
import { restoreSnapshot } from '../../api-server/store/restore.ts'
import { SnapshotError } from '../../api-server/store/snapshot/file.ts'
import { CompactedError, type KeyValue, type Store } from '../../api-server/store/store.ts'
import { ALL, failure, put, remove, text, watched, write } from '../suites/store-backend.ts'
import { type EtcdMember, startEtcd } from '../support/etcd.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'
import { watching } from './store-watching.ts'

const test = suiteOf('etcd store: snapshots', { needs: ['etcd'] })

const shared = {} as { etcd: EtcdMember; options: { endpoints: string[] } }
let prefixes = 0

test.before(async () => {
  shared.etcd = await startEtcd()
  shared.options = { endpoints: [shared.etcd.url] }
})

test.after(async () => shared.etcd[Symbol.asyncDispose]())

/** A store of its own on the shared etcd, for the time of `use`. */
async function withStore(use: (store: EtcdStore) => Promise<void> | void, options: Partial<EtcdOptions> = {}) {
  await using store = await openEtcdStore({ ...shared.options, prefix: `/snapshots/${++prefixes}`, ...options })
  await use(store)
}

/** A store with a value larger than a page, more keys than a page, and the traces of changes and deletes. */
async function filled(store: Store): Promise<void> {
  await write(store, put('/a', '1'), put('/gone', '1'), put('/é', ''))
  await write(store, put('/a', '2'), remove('/gone'), put('/big', 'x'.repeat(1_400_000)))
  for (let i = 0; i < 10; i++)
    await write(store, ...Array.from({ length: 100 }, (_, j) => put(`/many/${i * 100 + j}`, 'y'.repeat(900))))
}

test('a snapshot goes from etcd to the embedded store and back, and later revisions exceed all earlier ones', async () => {
  const [file, back, dataDir] = [join(tempDir(), 'snapshot'), join(tempDir(), 'snapshot'), tempDir()]
  let items: readonly KeyValue[] = []
  await withStore(async (store) => {
    await filled(store)
    items = (await store.list(ALL)).items
    assert.equal(await store.snapshot(file), { revision: store.revision, keys: items.length })
  })
  const { revision } = await restoreSnapshot(file, dataDir)
  await using embedded = await openEmbeddedStore({ dataDir })
  const same = (kv: KeyValue) => `${kv.key} ${Buffer.from(kv.value).toString('hex')}`
  assert.equal((await embedded.list(ALL)).items.map(same), items.map(same))
  await embedded.snapshot(back)

  const prefix = '/restored'
  await restoreIntoEtcd(back, { ...shared.options, prefix })
  assert.match(String(await failure(restoreIntoEtcd(back, { ...shared.options, prefix }))), 'already holds a store')
  await withStore(
    async (store) => {
      const now = (await store.list(ALL)).items
      const content = ({ key, value }: KeyValue) => `${key} ${Buffer.from(value).toString('hex')}`
      assert.equal(now.map(content), items.map(content))
      for (const { modified, created } of now) assert.ok(modified > revision && created > revision)
      assert.instance(await failure(store.get('/a', { at: revision })), CompactedError)
      assert.instance(await failure(watched(store, { after: revision, until: store.revision })), CompactedError)
      const a = now.find(({ key }) => key === '/a')
      const compare = [{ key: '/a', modified: a?.modified ?? 0n }]
      const next = await store.txn({ compare, operations: [put('/a', '3')] })
      assert.ok(next.ok && next.revision === (await store.readRevision()))
      assert.is(text((await store.get('/a', { at: next.revision - 1n })).kv), '2')
    },
    { prefix },
  )
})

test('a server whose store is replaced under it writes nothing more and says so', async () => {
  const prefix = '/replaced'
  await withStore(
    async (store) => {
      await write(store, put('/a', '1'))
      const file = join(tempDir(), 'snapshot')
      await store.snapshot(file)
      const watch = watching(store, store.revision)
      await shared.etcd.ctl('del', '--prefix', `${prefix}/`)
      await restoreIntoEtcd(file, { ...shared.options, prefix })
      const transaction = { compare: [], operations: [put('/a', '2')] }
      assert.match(String(await failure(store.txn(transaction))), 'restored meanwhile: restart this server')
      assert.match(String(await failure(watch.stop())), 'restored meanwhile')
    },
    { prefix },
  )
  await withStore(async (store) => assert.is(text((await store.get('/a')).kv), '1'), { prefix })
})

test('a server whose etcd was begun anew under its old address notices it, though its watch stays silent', async () => {
  const folder = tempDir()
  await using etcd = await startEtcd({ args: ['--data-dir', folder] })
  const store = await openEtcdStore({ endpoints: [etcd.url] })
  try {
    for (let i = 0; i < 5; i++) await write(store, put('/a', String(i)))
    const watch = watching(store, store.revision)
    await etcd.crash()
    rmSync(folder, { recursive: true })
    await etcd.restart()
    assert.match(String(await failure(watch.ended)), 'deleted or restored meanwhile: restart this server')
  } finally {
    await store[Symbol.asyncDispose]()
  }
})

test('a restore that was broken off keeps the store closed until it is run again; a damaged file changes nothing', async () => {
  const file = join(tempDir(), 'snapshot')
  await withStore(async (store) => {
    await filled(store)
    await store.snapshot(file)
  })
  const prefix = '/broken'
  const damaged = join(tempDir(), 'damaged')
  writeFileSync(damaged, readFileSync(file).subarray(0, 1_000_000))
  assert.instance(await failure(restoreIntoEtcd(damaged, { ...shared.options, prefix })), SnapshotError)
  assert.is(await shared.etcd.ctl('get', '--prefix', `${prefix}/`), '')
  // As a restore leaves it that is killed after its first keys.
  await shared.etcd.ctl('put', `${prefix}/meta/restoring`, '0')
  await shared.etcd.ctl('put', `${prefix}/d/of-another-file`, 'x')
  assert.match(String(await failure(openEtcdStore({ ...shared.options, prefix }))), 'begun and not finished')
  await restoreIntoEtcd(file, { ...shared.options, prefix })
  await withStore(async (store) => assert.is((await store.list(ALL)).items.length, 1_003), { prefix })
})

test.run()
