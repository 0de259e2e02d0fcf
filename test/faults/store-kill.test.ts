// heavy, deadline: 1200 s
/** The long form of test/integration/store-kill.test.ts. */
import { suite } from 'uvu'
import { killRounds } from '../suites/store-kills/rounds.ts'
import { startEtcd } from '../support/etcd.ts'
import { suiteOf } from '../support/requirements.ts'
import { tempDir } from '../support/temp-dir.ts'

const ROUNDS = 300

const embedded = suite('embedded store: kill -9, long')

embedded(`of ${ROUNDS} kills no acknowledged write is lost and none is half there`, async () => {
  console.log(await killRounds(tempDir(), ROUNDS))
})

embedded.run()

const etcd = suiteOf('etcd store: kill -9 of the server, long', { needs: ['etcd'] })

etcd(`of ${ROUNDS} kills no acknowledged write is lost and none is half there`, async () => {
  await using member = await startEtcd()
  console.log(await killRounds(member.url, ROUNDS))
})

etcd.run()
