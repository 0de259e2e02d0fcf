/** A disk that is really full: a small tmpfs. */
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { openEmbeddedStore } from '../../api-server/store/embedded.ts'
import { type Store, UnavailableError } from '../../api-server/store/store.ts'
import { ALL, failure, put, shown, watched, write } from '../suites/store-backend.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'

async function onSmallDisk(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = tempDir()
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', folder], { timeout: 10_000 })
  assert.is(mounted.status, 0, String(mounted.stderr))
  try {
    await use(folder)
  } finally {
    spawnSync('umount', [folder], { timeout: 10_000 })
  }
}

/** Writes until the disk refuses; the error and how many writes there were. */
async function fill(store: Store): Promise<{ error: unknown; writes: number }> {
  for (let writes = 0; ; writes++) {
    try {
      await write(store, put(`/fill/${writes}`, 'x'.repeat(100_000)))
    } catch (error) {
      return { error, writes }
    }
  }
}

const test = suiteOf('embedded store: full disk', { needs: ['root'] })

test('on a full disk writes are refused, reads and watches go on, and writing resumes once there is space', () =>
  onSmallDisk(async (dataDir) => {
    const ballast = join(dataDir, 'ballast')
    writeFileSync(ballast, Buffer.alloc(6 * 1024 * 1024))
    await using store = await openEmbeddedStore({ dataDir })
    const { error, writes } = await fill(store)
    assert.instance(error, UnavailableError)
    assert.match(String(error), 'the disk of the store is full')
    assert.ok(writes > 10)
    assert.is(store.revision, BigInt(writes))
    assert.is((await store.list(ALL)).items.length, writes)
    assert.instance(await failure(write(store, put('/again', 'x'.repeat(1_000_000)))), UnavailableError)
    rmSync(ballast)
    const until = await write(store, put('/after'))
    assert.is(until, BigInt(writes + 1))
    const events = (await watched(store, { after: until - 2n, until })).flat()
    assert.equal([events[0]?.kv.modified, ...events.slice(1).map(shown)], [until - 1n, `put /after=v @${until}`])
  }))

test.run()
