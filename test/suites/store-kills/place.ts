import { openEmbeddedStore } from '../../../api-server/store/embedded.ts'
import { openEtcdStore } from '../../../api-server/store/etcd/etcd.ts'
import type { Store } from '../../../api-server/store/store.ts'

/** The store in a folder, or at the address of an etcd. */
export function openPlace(place: string): Promise<Store> {
  return place.startsWith('http') ? openEtcdStore({ endpoints: [place] }) : openEmbeddedStore({ dataDir: place })
}
