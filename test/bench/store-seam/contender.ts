/** The few verbs that are measured, on our backends through the seam and on etcd itself. */
import { openEmbeddedStore } from '../../../api-server/store/embedded.ts'
import { openEtcdStore } from '../../../api-server/store/etcd/etcd.ts'
import type { Store } from '../../../api-server/store/store.ts'
import type { Place } from './job.ts'
import { openRawEtcd } from './raw-etcd.ts'

export interface Contender {
  /** Resolves when it is durable. */
  put(key: string, value: Uint8Array): Promise<unknown>
  get(key: string): Promise<unknown>
  /** All keys below the prefix in one answer; how many. */
  range(prefix: string): Promise<number>
  revision(): Promise<bigint>
  /** Reads the history after `after` until so many events have come. */
  replay(after: bigint, events: number): Promise<void>
  close(): Promise<void>
}

export async function openContender(place: Place): Promise<Contender> {
  if (place.kind === 'raw etcd') return openRawEtcd(place.url)
  const open = () =>
    place.kind === 'embedded' ? openEmbeddedStore({ dataDir: place.folder }) : openEtcdStore({ endpoints: [place.url] })
  return throughSeam(await open())
}

function throughSeam(store: Store): Contender {
  return {
    put: (key, value) => store.txn({ compare: [], operations: [{ do: 'put', key, value }] }),
    get: (key) => store.get(key),
    range: async (prefix) => (await store.list({ start: prefix, end: `${prefix}~` })).items.length,
    revision: () => store.readRevision(),
    async replay(after, events) {
      const stop = new AbortController()
      let seen = 0
      for await (const batch of store.watch({ start: '/', end: '0' }, { after, signal: stop.signal })) {
        seen += batch.length
        if (seen >= events) break
      }
    },
    close: async () => store[Symbol.asyncDispose](),
  }
}
