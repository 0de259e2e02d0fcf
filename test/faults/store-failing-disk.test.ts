// heavy, deadline: 120 s
/** Disks that fail under the embedded store: errors of fdatasync, and a file system that turns read-only. */
import * as assert from 'uvu/assert'
import { openEmbeddedStore } from '../../api-server/store/embedded.ts'
import { type Store, UnavailableError } from '../../api-server/store/store.ts'
import { ALL, failure, put, text, write } from '../suites/store-backend.ts'
import { suiteOf } from '../support/requirements.ts'
import { failingDisk } from '../support/small-disk.ts'
import { until } from '../support/until.ts'

const test = suiteOf('embedded store: failing disk', { needs: ['root', 'loop devices'] })

/** Writes until it is refused; the refusal and what was acknowledged. */
async function writeUntilRefused(store: Store, acknowledged: Map<string, string>): Promise<unknown> {
  for (let n = 0; n < 2_000; n++) {
    const [key, value] = [`/w/${n % 40}`, `${acknowledged.size} ${n} `.padEnd(50_000, 'x')]
    try {
      await write(store, put(key, value))
    } catch (error) {
      return error
    }
    acknowledged.set(key, value)
  }
  throw new Error('nothing was refused')
}

async function checkKept(store: Store, acknowledged: ReadonlyMap<string, string>): Promise<void> {
  for (const [key, value] of acknowledged) assert.is(text((await store.get(key)).kv), value, key)
  assert.is((await store.list(ALL)).items.length, acknowledged.size)
}

test('where a sync fails the write is refused with the reason, reads go on, and nothing acknowledged is lost', async () => {
  await using disk = await failingDisk()
  const acknowledged = new Map<string, string>()
  {
    await using store = await openEmbeddedStore({ dataDir: disk.folder })
    for (let i = 0; i < 10; i++) {
      await write(store, put(`/w/${i}`, `before ${i}`))
      acknowledged.set(`/w/${i}`, `before ${i}`)
    }
    for (let round = 0; round < 3; round++) {
      disk.breakDown()
      const refusal = await writeUntilRefused(store, acknowledged)
      assert.instance(refusal, UnavailableError)
      assert.match(String(refusal), /cannot write to its disk .*; nothing was written, reads go on/)
      await checkKept(store, acknowledged)
      disk.mend()
      // The kernel may still have to tell of blocks that it tried to write before.
      const mended = () => write(store, put('/w/0', `mended ${round}`))
      await until(mended, { what: 'a write on the mended disk' })
      acknowledged.set('/w/0', `mended ${round}`)
    }
  }
  await disk.remount()
  await using again = await openEmbeddedStore({ dataDir: disk.folder })
  await checkKept(again, acknowledged)
  await write(again, put('/w/0', 'goes on'))
})

test('where the file system turns read-only writes are refused, reads go on, and after a mount all is there', async () => {
  await using disk = await failingDisk()
  const acknowledged = new Map<string, string>()
  const store = await openEmbeddedStore({ dataDir: disk.folder })
  for (let i = 0; i < 40; i++) {
    await write(store, put(`/w/${i}`, String(i)))
    acknowledged.set(`/w/${i}`, String(i))
  }
  await disk.turnReadOnly()
  for (let i = 0; i < 3; i++) {
    const refusal = await failure(write(store, put('/w/0', 'x')))
    assert.instance(refusal, UnavailableError)
    assert.match(String(refusal), /read-only|EROFS/i)
    await checkKept(store, acknowledged)
  }
  const refusal = await failure(openEmbeddedStore({ dataDir: disk.folder }))
  assert.ok(refusal instanceof Error)
  await store[Symbol.asyncDispose]()
  await disk.remount()
  await using again = await openEmbeddedStore({ dataDir: disk.folder })
  await checkKept(again, acknowledged)
  await write(again, put('/w/0', 'goes on'))
})

test.run()
