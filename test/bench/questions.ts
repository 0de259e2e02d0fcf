/** Every question there is, in the order in which they are asked. */
import { creates } from './creates.ts'
import { etcdV2 } from './etcd-v2.ts'
import { failover } from './failover.ts'
import { fleet } from './fleet.ts'
import { gets } from './gets.ts'
import type { Question } from './harness/figure.ts'
import { list } from './list.ts'
import { memory } from './memory.ts'
import { scheduler } from './scheduler.ts'
import { start } from './start.ts'
import { store } from './store.ts'
import { unitLatency } from './unit-latency.ts'
import { watch } from './watch.ts'

export const QUESTIONS: readonly Question[] = [
  start,
  unitLatency,
  failover,
  creates,
  gets,
  etcdV2,
  list,
  watch,
  store,
  scheduler,
  fleet,
  memory,
]
