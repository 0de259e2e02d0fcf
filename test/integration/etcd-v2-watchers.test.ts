import { etcdV2WatchersSuite } from '../suites/etcd-v2-watchers.ts'

etcdV2WatchersSuite('two thousand etcd v2 watches', 2_000)
