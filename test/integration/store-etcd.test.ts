/** The store seam's whole contract, held by a real etcd. */
import { type EtcdOptions, openEtcdStore } from '../../api-server/store/etcd/etcd.ts'
import type { Store } from '../../api-server/store/store.ts'
import { storeSuite } from '../suites/store-suite.ts'
import { type EtcdMember, startEtcd } from '../support/etcd.ts'

let etcd: Promise<EtcdMember> | undefined
const opened = new WeakMap<Store, EtcdOptions>()
let stores = 0

/** One etcd for all: a prefix of its own is as good as a store of its own. */
async function openBelow(prefix: string, options: Partial<EtcdOptions> = {}): Promise<Store> {
  etcd ??= startEtcd()
  const all = { ...options, endpoints: [(await etcd).url], prefix }
  const store = await openEtcdStore(all)
  opened.set(store, all)
  return store
}

storeSuite({
  name: 'etcd',
  needs: ['etcd'],
  open: (options) => openBelow(`/suite/${++stores}`, options),
  async reopen(store) {
    const options = opened.get(store)
    await store[Symbol.asyncDispose]()
    return openBelow(options?.prefix ?? '')
  },
  done: async () => (await etcd)?.[Symbol.asyncDispose](),
  modelRuns: 12,
})
