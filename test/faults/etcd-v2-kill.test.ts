// deadline: 300 s
/** The long form of test/integration/etcd-v2-kill.test.ts. */
import { etcdV2KillsSuite } from '../suites/etcd-v2-kills.ts'

etcdV2KillsSuite('kill -9 under etcd v2 writers, long', 25)
