import { startEtcd } from '../../support/etcd.ts'
import { lockSuite } from './client-suite.ts'

lockSuite('etcd 3.4', () => startEtcd({ args: ['--enable-v2'] })).run()
