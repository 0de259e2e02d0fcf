/**
 * Stores of earlier formats open and work. The fixture was made by the server of commit 4d76375 (format 1): three
 * config maps created, one of them changed, one deleted.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openEmbeddedStore, storeFolder } from '../../../../api-server/store/embedded.ts'
import { FORMAT } from '../../../../api-server/store/format.ts'
import { openTables } from '../../../../api-server/store/lmdb-layout.ts'
import { LmdbReader } from '../../../../api-server/store/lmdb-reader.ts'
import { prefixRange } from '../../../../api-server/store/store.ts'
import { put, shown, text, watched, write } from '../../../suites/store-backend.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const test = suite('store formats')

const FIXTURE = join(import.meta.dirname, '../../../fixtures/store/format-1.mdb.gz')
const MAPS = prefixRange('/r/core/configmaps/default/')

function unpacked(): string {
  const dataDir = tempDir()
  mkdirSync(storeFolder(dataDir))
  writeFileSync(join(storeFolder(dataDir), 'data.mdb'), gunzipSync(readFileSync(FIXTURE)))
  return dataDir
}

async function formatOf(dataDir: string): Promise<{ format: bigint; cluster: string | undefined }> {
  const tables = openTables(storeFolder(dataDir))
  const format = new LmdbReader(tables).number('format')
  const cluster = tables.meta.get('cluster')?.toString()
  await tables.root.close()
  return { format, cluster }
}

test('a store of format 1 is brought up to the present one, with its objects, revisions and history', async () => {
  const dataDir = unpacked()
  assert.equal(await formatOf(dataDir), { format: 1n, cluster: undefined })
  const store = await openEmbeddedStore({ dataDir })
  const { items, revision } = await store.list(MAPS)
  assert.equal(
    items.map(({ key }) => key.slice(MAPS.start.length)),
    ['changed', 'kept'],
  )
  assert.match(text(items[0]) ?? '', '"a":"2"')
  const events = (await watched(store, { range: MAPS, after: 0n, until: revision })).flat()
  assert.equal(
    events.map((event) => shown(event).split('=')[0]?.replace(/ @\d+/, '').replace(MAPS.start, '')),
    ['put kept', 'put changed', 'put changed', 'put gone', 'delete gone'],
  )
  assert.is(await write(store, put('/r/new')), revision + 1n)
  await store[Symbol.asyncDispose]()
})

test('it is brought up once, and keeps the name that it was given then', async () => {
  const dataDir = unpacked()
  for (let round = 0; round < 2; round++) await (await openEmbeddedStore({ dataDir }))[Symbol.asyncDispose]()
  const { format, cluster } = await formatOf(dataDir)
  assert.is(format, FORMAT)
  await (await openEmbeddedStore({ dataDir }))[Symbol.asyncDispose]()
  assert.equal(await formatOf(dataDir), { format: FORMAT, cluster })
  assert.match(cluster ?? '', /^[0-9a-f-]{36}$/)
})

test.run()
