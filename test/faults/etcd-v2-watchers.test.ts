// deadline: 120 s
import { etcdV2WatchersSuite } from '../suites/etcd-v2-watchers.ts'

etcdV2WatchersSuite('ten thousand etcd v2 watches', 10_000)
