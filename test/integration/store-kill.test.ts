/** SIGKILL under load, again and again, on one and the same store. Long form: test/faults/store-kill.test.ts. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fill, reopenMs } from '../suites/store-kills/many-keys.ts'
import { builtVictim, killRounds } from '../suites/store-kills/rounds.ts'
import { startEtcd } from '../support/etcd.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'

const KEYS = 100_000
const MAX_REOPEN_MS = 1_000

const embedded = suite('embedded store: kill -9')

embedded('no acknowledged write is lost and none is half there', async () => {
  console.log(await killRounds(tempDir(), 5))
})

embedded(`a store of ${KEYS} keys opens within a second after the kill`, async () => {
  const place = tempDir()
  await fill(place, KEYS)
  const tookMs = await reopenMs(await builtVictim(), place, KEYS)
  console.log(`${KEYS} keys: open and read after ${tookMs.toFixed(0)} ms`)
  assert.ok(tookMs <= MAX_REOPEN_MS, `${tookMs} ms`)
})

embedded.run()

const etcd = suiteOf('etcd store: kill -9 of the server', { needs: ['etcd'] })

etcd('no acknowledged write is lost and none is half there', async () => {
  await using member = await startEtcd()
  console.log(await killRounds(member.url, 3))
})

etcd.run()
