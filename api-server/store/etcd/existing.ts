/** Opens a store in etcd that is there; for who wants to read one, not to begin one. */
import { Endpoints } from './endpoints.ts'
import { DEFAULT_PREFIX, type EtcdOptions, type EtcdStore, openEtcdStore } from './etcd.ts'
import { layoutBelow } from './layout.ts'
import { findMeta } from './meta.ts'

/** Throws a sentence where there is none below the prefix. */
export async function openExistingEtcdStore(options: EtcdOptions): Promise<EtcdStore> {
  const { endpoints: urls, tls = {}, timeouts, prefix = DEFAULT_PREFIX } = options
  const endpoints = new Endpoints({ urls, tls, ...(timeouts && { timeouts }) })
  try {
    if ((await findMeta(endpoints, layoutBelow(prefix))) === undefined)
      throw new Error(`there is no store below ${prefix} in that etcd: --etcd-prefix says where it is`)
  } finally {
    endpoints.close()
  }
  return openEtcdStore(options)
}
