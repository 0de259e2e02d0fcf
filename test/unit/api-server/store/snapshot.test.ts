import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openEmbeddedStore, storeFolder } from '../../../../api-server/store/embedded.ts'
import { openMemoryStore } from '../../../../api-server/store/memory.ts'
import { restoreSnapshot } from '../../../../api-server/store/restore.ts'
import { SnapshotError } from '../../../../api-server/store/snapshot/file.ts'
import { RESTORE_GAP } from '../../../../api-server/store/snapshot/floor.ts'
import { CompactedError, type Store } from '../../../../api-server/store/store.ts'
import { ALL, failure, put, remove, text, watched, write } from '../../../suites/store-backend.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const OPENERS = { memory: async () => openMemoryStore(), embedded: () => openEmbeddedStore({ dataDir: tempDir() }) }

async function filled(store: Store): Promise<Store> {
  await write(store, put('/a', '1'), put('/b', '1'), put('/é', ''))
  await write(store, put('/a', '2'), remove('/b'), put('/big', 'x'.repeat(3_000_000)))
  for (let i = 0; i < 3_000; i++) void write(store, put(`/many/${i}`, String(i)))
  await write(store, put('/last'))
  return store
}

async function snapshotOf(name: keyof typeof OPENERS) {
  await using store = await filled(await OPENERS[name]())
  const file = join(tempDir(), 'snapshot')
  const summary = await store.snapshot(file)
  return { file, summary, items: (await store.list(ALL)).items, revision: store.revision }
}

const test = suite('snapshot and restore')

for (const name of ['memory', 'embedded'] as const) {
  test(`a backup of the ${name} store brings back every key, and later revisions exceed all earlier ones`, async () => {
    const { file, summary, items, revision } = await snapshotOf(name)
    assert.equal(summary, { revision, keys: items.length })
    const dataDir = tempDir()
    const begun = await restoreSnapshot(file, dataDir)
    assert.is(begun.keys, summary.keys)
    await using store = await openEmbeddedStore({ dataDir })
    assert.is(store.revision, begun.revision)
    const raise = begun.revision - revision
    const restored = (await store.list(ALL)).items
    assert.is(restored.length, items.length)
    for (const [i, { key, value, created, modified }] of restored.entries()) {
      const { key: was, created: begun = 0n, modified: changed = 0n } = items[i] ?? {}
      assert.equal([key, created, modified], [was, begun + raise, changed + raise])
      assert.ok(modified > revision + RESTORE_GAP)
      assert.ok(Buffer.compare(value, items[i]?.value ?? Buffer.from('missing')) === 0)
    }
    for (const after of [0n, revision, revision + 1_000n, begun.revision - 1n])
      assert.instance(await failure(watched(store, { after, until: begun.revision })), CompactedError)
    const next = await write(store, put('/a', '3'), remove('/last'))
    assert.is(next, begun.revision + 1n)
    const [batch] = await watched(store, { after: begun.revision, until: next })
    assert.is(text(batch?.[0]?.previous), '2')
    await store.compact(next)
    assert.is((await store.list(ALL)).items.length, items.length - 1)
  })
}

test('a damaged, cut, foreign or newer file is refused and leaves nothing behind', async () => {
  const { file } = await snapshotOf('memory')
  const good = readFileSync(file)
  const flipped = Buffer.from(good)
  flipped[good.length >> 1] = (flipped[good.length >> 1] ?? 0) ^ 1
  const newer = Buffer.from(good)
  newer.writeUInt32BE(2, 'flotilla-backup\n'.length)
  const cases = { flipped, newer, foreign: Buffer.from('PK\x03\x04 something else'), empty: Buffer.alloc(0) }
  for (const [what, content] of Object.entries({ ...cases, longer: Buffer.concat([good, Buffer.from('x')]) })) {
    const dataDir = tempDir()
    writeFileSync(file, content)
    assert.instance(await failure(restoreSnapshot(file, dataDir)), SnapshotError, what)
    assert.equal(readdirSync(dataDir), [], what)
  }
  writeFileSync(file, good)
  truncateSync(file, good.length - 10)
  assert.instance(await failure(restoreSnapshot(file, tempDir())), SnapshotError)
})

test('a restore does not overwrite a store', async () => {
  const { file } = await snapshotOf('memory')
  const dataDir = tempDir()
  const store = await openEmbeddedStore({ dataDir })
  await store[Symbol.asyncDispose]()
  assert.match(String(await failure(restoreSnapshot(file, dataDir))), 'already holds a store')
  assert.ok(existsSync(storeFolder(dataDir)))
})

test('a snapshot that cannot be finished leaves no file', async () => {
  await using store = await filled(openMemoryStore())
  const folder = tempDir()
  assert.match(String(await failure(store.snapshot(join(folder, 's'), { signal: AbortSignal.abort() }))), /abort/i)
  assert.equal(readdirSync(folder), [])
})

test.run()
