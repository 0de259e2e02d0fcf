/** What clients of the API are told stays one history while what serves it is killed and cut off. Long: test/faults. */
import * as assert from 'uvu/assert'
import { embeddedRun, etcdRun } from '../suites/linearizable.ts'
import { NAMESPACES_NEED } from '../support/own-namespaces.ts'
import { suiteOf } from '../support/requirements.ts'

/** Twice what etcd should need: the boxes of CI are busy, and votes split. */
const MAX_GAP_MS = 5_000

const alone = suiteOf('the API is linearizable: one server', { needs: [] })

alone(
  'through kill -9 nothing acknowledged is lost, nothing stale is read, watchers miss and repeat nothing',
  async () => {
    console.log(await embeddedRun(1_200, 2))
  },
)

alone.run()

const shared = suiteOf('the API is linearizable: two servers over three etcd members', {
  needs: ['etcd', ...NAMESPACES_NEED],
})

shared('through the death of the leader, a leader without followers, and the death of a server', async () => {
  const faults = ['kill', 'part', 'kill-server'] as const
  const { text, gapsMs } = await etcdRun({ operations: 800, rounds: 1, faults, timeoutMs: 90_000 })
  console.log(text)
  assert.ok(Math.max(...gapsMs) <= MAX_GAP_MS, text)
})

shared.run()
