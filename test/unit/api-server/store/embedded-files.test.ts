/** What is particular to a store that lives in files: its owner, its format, its growth. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openEmbeddedStore, storeFolder } from '../../../../api-server/store/embedded.ts'
import { bringUpToFormat, FORMAT } from '../../../../api-server/store/format.ts'
import { encodeNumber, openTables } from '../../../../api-server/store/lmdb-layout.ts'
import { LmdbReader } from '../../../../api-server/store/lmdb-reader.ts'
import { LmdbWriter } from '../../../../api-server/store/lmdb-writer.ts'
import { openStore } from '../../../../api-server/store/open.ts'
import { watchHub } from '../../../../api-server/store/watch-hub.ts'
import { ALL, failure, put, remove, text, write } from '../../../suites/store-backend.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const test = suite('embedded store: files')

/** A store that somebody has left with `format`. */
async function leftBehind(format: bigint): Promise<string> {
  const dataDir = tempDir()
  const tables = openTables(storeFolder(dataDir))
  await tables.root.batch(() => void tables.meta.put('format', encodeNumber(format)))
  await tables.root.close()
  return dataDir
}

test('a second opener is refused and told who has the store', async () => {
  const dataDir = tempDir()
  const store = await openEmbeddedStore({ dataDir })
  assert.match(String(await failure(openEmbeddedStore({ dataDir }))), `in use by process ${process.pid}`)
  await write(store, put('/a'))
  await store[Symbol.asyncDispose]()
  const again = await openEmbeddedStore({ dataDir })
  await again[Symbol.asyncDispose]()
})

test('the lock of a process that is gone, or of an earlier boot, does not count', async () => {
  const dataDir = tempDir()
  const store = await openEmbeddedStore({ dataDir })
  const path = join(storeFolder(dataDir), 'owner')
  const [pid, tick, boot] = readFileSync(path, 'utf8').split(' ')
  await store[Symbol.asyncDispose]()
  for (const stale of [`4194999 ${tick} ${boot}`, `${pid} 1 ${boot}`, `${pid} ${tick} another-boot`, 'nonsense', '']) {
    writeFileSync(path, stale)
    const next = await openEmbeddedStore({ dataDir })
    await next[Symbol.asyncDispose]()
  }
})

test('the files are for their owner alone', async () => {
  const dataDir = tempDir()
  const store = await openEmbeddedStore({ dataDir })
  assert.is(statSync(storeFolder(dataDir)).mode & 0o777, 0o700)
  await store[Symbol.asyncDispose]()
})

test('a store of a newer program is refused in a sentence that says what to do', async () => {
  const dataDir = await leftBehind(FORMAT + 1n)
  assert.match(
    String(await failure(openEmbeddedStore({ dataDir }))),
    /newer Flotilla \(format 3, this one knows up to 2\): start the newer version/,
  )
  // Refused for its format, twice: the first refusal has given the lock back.
  assert.match(String(await failure(openEmbeddedStore({ dataDir }))), /newer Flotilla/)
})

test('an older store is brought up step by step', async () => {
  const tables = openTables(storeFolder(await leftBehind(FORMAT - 1n)))
  await tables.root.batch(() => void tables.meta.put('revision', encodeNumber(7n)))
  const reader = new LmdbReader(tables)
  const writer = new LmdbWriter({ tables, reader, hub: watchHub(), folder: tempDir() })
  const migrated: string[] = []
  const step = async () => {
    migrated.push('one step')
    return []
  }
  await bringUpToFormat({ tables, reader, writer }, new Map([[FORMAT - 1n, step]]))
  assert.equal(migrated, ['one step'])
  assert.is(reader.number('format'), FORMAT)
  await tables.root.close()
})

test('the map grows while it is read, and while a snapshot holds an older state', async () => {
  const store = await openEmbeddedStore({ dataDir: tempDir(), mapSizeBytes: 1024 * 1024 })
  const value = Buffer.alloc(10_000, 'x')
  const grow = async (round: number) => {
    const puts = Array.from({ length: 100 }, (_, i) => ({ do: 'put' as const, key: `/${round}/${i}`, value }))
    await store.txn({ compare: [], operations: puts })
    assert.is((await store.list(ALL, { limit: 10 })).items[0]?.value.byteLength, value.length)
  }
  await grow(0)
  const snapshot = store.snapshot(join(tempDir(), 'snapshot'))
  for (let round = 1; round <= 20; round++) await grow(round)
  assert.equal(await snapshot, { revision: 1n, keys: 100 })
  assert.is((await store.list(ALL)).items.length, 2_100)
  await store[Symbol.asyncDispose]()
})

test('what is compacted leaves the disk: only the records of present keys stay', async () => {
  const dataDir = tempDir()
  const store = await openEmbeddedStore({ dataDir })
  for (let i = 0; i < 2_500; i++) void write(store, put(`/${i % 10}`, String(i)), put('/x'), remove(`/${(i + 1) % 10}`))
  const kept = await write(store, put('/last'))
  await store.compact(kept)
  const keys = (await store.list(ALL)).items.length
  await store[Symbol.asyncDispose]()
  const tables = openTables(storeFolder(dataDir))
  assert.is(tables.log.getKeysCount({}), keys)
  await tables.root.close()
})

test('stores are opened by name, and an unknown one is told which there are', async () => {
  for (const name of ['memory', 'embedded']) {
    const store = await openStore(name, { dataDir: tempDir() })
    await write(store, put('/a', name))
    assert.is(text((await store.get('/a')).kv), name)
    await store[Symbol.asyncDispose]()
  }
  assert.match(
    String(await failure(openStore('toString', { dataDir: tempDir() }))),
    'there are: embedded, etcd, memory',
  )
})

test.run()
