/** A backup is whole or refused: whatever happens to its bytes, and whoever reads it. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openEmbeddedStore, restoringFolder } from '../../../../api-server/store/embedded.ts'
import { openMemoryStore } from '../../../../api-server/store/memory.ts'
import { restoreSnapshot } from '../../../../api-server/store/restore.ts'
import {
  receiveSnapshot,
  SnapshotError,
  snapshotBytes,
  verifySnapshot,
  writeSnapshot,
} from '../../../../api-server/store/snapshot/file.ts'
import { ALL, failure, put, text, write } from '../../../suites/store-backend.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const test = suite('backup files')

const SECRET = Buffer.from('correct horse battery staple')
const FILES = [{ path: 'pki/ca.key', content: Buffer.from('the key of the authority') }]

async function backupOf(keys: number, valueBytes: number, secret?: Buffer): Promise<string> {
  await using store = openMemoryStore()
  for (let i = 0; i < keys; i++)
    await write(store, put(`/r/core/secrets/default/${i}`, 'plain to see '.padEnd(valueBytes, `${i}`)))
  const file = join(tempDir(), 'backup')
  await writeSnapshot(file, { ...(await store.everything()), files: FILES }, secret && { secret })
  return file
}

/** All of the head and the end, and every so many bytes between. */
function places(length: number, step: number): number[] {
  return Array.from({ length }, (_, at) => at).filter((at) => at < 200 || at > length - 60 || at % step === 0)
}

for (const [how, secret] of [
  ['plain', undefined],
  ['encrypted', SECRET],
] as const) {
  test(`one flipped bit anywhere in a ${how} backup is found, before anything is written`, async () => {
    const file = await backupOf(40, 1_000, secret)
    const options = secret === undefined ? {} : { secret }
    assert.is((await verifySnapshot(file, options)).keys, 40)
    const bytes = readFileSync(file)
    for (const at of places(bytes.length, 61)) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8))
      writeFileSync(file, flipped)
      assert.instance(await failure(verifySnapshot(file, options)), SnapshotError, `byte ${at}`)
    }
  })
}

test('a backup cut at any place is found', async () => {
  const file = await backupOf(3, 300)
  const bytes = readFileSync(file)
  for (const length of places(bytes.length, 7)) {
    writeFileSync(file, bytes.subarray(0, length))
    assert.instance(await failure(verifySnapshot(file)), SnapshotError, `${length} bytes`)
  }
})

/** The file with its blocks in another order, and a checksum that agrees with that. */
function reordered(bytes: Buffer, sealBytes: number): Buffer {
  const head = 24 + bytes.readUInt32BE(20)
  const block = 4 + 1024 * 1024 + sealBytes
  const [first, second] = [bytes.subarray(head, head + block), bytes.subarray(head + block, head + 2 * block)]
  const body = Buffer.concat([bytes.subarray(0, head), second, first, bytes.subarray(head + 2 * block, -32)])
  return Buffer.concat([body, createHash('sha256').update(body).digest()])
}

test('blocks cannot change places, even where whoever moved them made the checksum agree', async () => {
  for (const secret of [undefined, SECRET]) {
    const file = await backupOf(3, 1_100_000, secret)
    writeFileSync(file, reordered(readFileSync(file), secret === undefined ? 32 : 16))
    assert.instance(await failure(verifySnapshot(file, secret && { secret })), SnapshotError)
  }
})

test('an encrypted backup shows nothing, and opens with its own key only', async () => {
  const file = await backupOf(10, 100, SECRET)
  const bytes = readFileSync(file)
  for (const word of ['plain to see', 'secrets', 'authority']) assert.not.ok(bytes.includes(word), word)
  assert.match(String(await failure(verifySnapshot(file))), 'encrypted: a key is needed')
  const wrong = { secret: Buffer.from('correct horse battery stapler') }
  assert.match(String(await failure(verifySnapshot(file, wrong))), 'the key is not the one')
  const { storedFiles, isEncrypted } = await verifySnapshot(file, { secret: SECRET })
  assert.ok(isEncrypted)
  assert.equal(
    storedFiles.map(({ content }) => Buffer.from(content).toString()),
    ['the key of the authority'],
  )
})

test('a stream that breaks off is no backup, however late it breaks', async () => {
  await using store = openMemoryStore()
  for (let i = 0; i < 30; i++) await write(store, put(`/${i}`, 'x'.repeat(100_000)))
  const chunks: Buffer[] = []
  for await (const chunk of snapshotBytes(await store.everything())) chunks.push(chunk)
  async function* upTo(count: number) {
    yield* chunks.slice(0, count)
  }
  for (let count = 1; count < chunks.length; count++) {
    const folder = tempDir()
    const arriving = async () => writeSnapshot(join(folder, 'backup'), await receiveSnapshot(upTo(count)))
    assert.instance(await failure(arriving()), SnapshotError, `${count} of ${chunks.length}`)
    assert.equal(readdirSync(folder), [])
  }
  const file = join(tempDir(), 'backup')
  await writeSnapshot(file, await receiveSnapshot(upTo(chunks.length)))
  assert.is((await verifySnapshot(file)).keys, 30)
})

test('a restore that was killed leaves nothing that a server would open, and is finished by the next', async () => {
  const file = await backupOf(5, 10)
  const dataDir = tempDir()
  mkdirSync(restoringFolder(dataDir))
  writeFileSync(join(restoringFolder(dataDir), 'data.mdb'), 'half of it')
  assert.match(String(await failure(openEmbeddedStore({ dataDir }))), 'broken off: run it again')
  await restoreSnapshot(file, dataDir)
  assert.not.ok(existsSync(restoringFolder(dataDir)))
  await using store = await openEmbeddedStore({ dataDir })
  assert.is((await store.list(ALL)).items.length, 5)
})

test('a backup that cannot be written holds on to nothing of the store', async () => {
  const [dataDir, nowhere] = [tempDir(), join(tempDir(), 'no', 'such', 'folder')]
  await using store = await openEmbeddedStore({ dataDir })
  await write(store, put('/a'))
  for (let i = 0; i < 200; i++) assert.match(String(await failure(store.snapshot(nowhere))), 'ENOENT') // lmdb has 126 readers
  const bytes = snapshotBytes(await store.everything())
  await bytes.next() // the client goes after the header
  await bytes.return(undefined)
  await store.snapshot(join(dataDir, 'backup'))
})

test('what is kept beside the keys is handed over before the store is there', async () => {
  const [file, dataDir] = [await backupOf(5, 10), tempDir()]
  const onFiles = () => Promise.reject(new Error('no room for them'))
  assert.match(String(await failure(restoreSnapshot(file, dataDir, { onFiles }))), 'no room')
  assert.equal(readdirSync(dataDir), [])
})

test('each restore counts on above all that was given out before, also after another restore of the same backup', async () => {
  const [file, dataDir] = [await backupOf(5, 10), tempDir()]
  const takenMs = Date.now()
  let newest = 0n
  for (let round = 1; round <= 3; round++) {
    const { revision } = await restoreSnapshot(file, dataDir, { force: true, nowMs: takenMs + round * 10_000 })
    await using store = await openEmbeddedStore({ dataDir })
    const { items } = await store.list(ALL)
    for (const { modified } of items) assert.ok(modified > newest && modified <= revision)
    for (let i = 0; i < 20; i++) newest = await write(store, put('/after', String(i)))
  }
})

test('a store in use is replaced by nobody, with force or without', async () => {
  const [file, dataDir] = [await backupOf(5, 10), tempDir()]
  await using store = await openEmbeddedStore({ dataDir })
  await write(store, put('/a', 'mine'))
  assert.match(String(await failure(restoreSnapshot(file, dataDir))), 'already holds a store')
  assert.match(
    String(await failure(restoreSnapshot(file, dataDir, { force: true }))),
    `in use by process ${process.pid}`,
  )
  assert.is(text((await store.get('/a')).kv), 'mine')
  await write(store, put('/a', 'still'))
})

test.run()
