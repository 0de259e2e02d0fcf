// heavy, deadline: 900 s
/** The long form of test/integration/linearizable.test.ts. */
import * as assert from 'uvu/assert'
import { median } from '../bench/harness/statistics.ts'
import { embeddedRun, etcdRun } from '../suites/linearizable.ts'
import { NAMESPACES_NEED } from '../support/own-namespaces.ts'
import { suiteOf } from '../support/requirements.ts'

const OPERATIONS = 20_000
/** From the leader's death until writes are acknowledged again; etcd misses its leader after one second. */
const MAX_GAP_MS = 2_500

const alone = suiteOf('the API is linearizable: one server', { needs: [] })

alone(`through 20 times kill -9 and ${OPERATIONS} operations`, async () => {
  console.log(await embeddedRun(OPERATIONS, 20))
})

alone.run()

const shared = suiteOf('the API is linearizable: two servers over three etcd members', {
  needs: ['etcd', ...NAMESPACES_NEED],
})

shared(`through deaths, pauses and partitions of leaders and servers, and ${OPERATIONS} operations`, async () => {
  const faults = ['kill', 'pause', 'part', 'isolate', 'kill-server', 'pause-server'] as const
  const { text, gapsMs } = await etcdRun({ operations: OPERATIONS, rounds: 8, faults, timeoutMs: 800_000 })
  console.log(text)
  assert.ok(median(gapsMs) <= MAX_GAP_MS, text)
})

shared.run()
