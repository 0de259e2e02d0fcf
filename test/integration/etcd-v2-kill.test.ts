import { etcdV2KillsSuite } from '../suites/etcd-v2-kills.ts'

etcdV2KillsSuite('kill -9 under etcd v2 writers', 2)
