/** The backends by the name that `--store` takes. */
import { type EmbeddedOptions, openEmbeddedStore } from './embedded.ts'
import type { EtcdOptions } from './etcd/etcd.ts'
import { openMemoryStore } from './memory.ts'
import type { Store } from './store.ts'

export interface OpenOptions extends EmbeddedOptions {
  /** Which etcd, for the backend of that name. */
  readonly etcd?: Pick<EtcdOptions, 'endpoints' | 'tls' | 'prefix' | 'timeouts' | 'follow'>
}

const OPENERS: Readonly<Record<string, (options: OpenOptions) => Promise<Store>>> = {
  embedded: openEmbeddedStore,
  etcd: openEtcd,
  memory: async ({ watchBounds, historyMaxChanges }) =>
    openMemoryStore({ ...(watchBounds && { watchBounds }), ...(historyMaxChanges && { historyMaxChanges }) }),
}

/** gRPC is loaded only where it is wanted: it would take a part of every start. */
async function openEtcd({ etcd, dataDir: _, mapSizeBytes: __, ...rest }: OpenOptions): Promise<Store> {
  if (etcd === undefined) throw new Error('the store etcd needs its endpoints')
  const { openEtcdStore } = await import('./etcd/etcd.ts')
  return openEtcdStore({ ...rest, ...etcd })
}

/** Opens the backend called `name`. Throws, naming those there are, where there is none of that name. */
export async function openStore(name: string, options: OpenOptions): Promise<Store> {
  const open = Object.hasOwn(OPENERS, name) ? OPENERS[name] : undefined
  if (open === undefined) throw new Error(`no store is called ${name}; there are: ${Object.keys(OPENERS).join(', ')}`)
  return open(options)
}
