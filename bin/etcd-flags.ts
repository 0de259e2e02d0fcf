/** The flags that say which etcd keeps the objects. */
import { readFile } from 'node:fs/promises'
import { Option } from 'commander'

export interface EtcdFlags {
  readonly etcdEndpoints?: string
  readonly etcdCa?: string
  readonly etcdCert?: string
  readonly etcdKey?: string
  readonly etcdPrefix?: string
}

interface Etcd {
  readonly endpoints: readonly string[]
  readonly tls: { readonly ca?: Uint8Array; readonly certificate?: Uint8Array; readonly key?: Uint8Array }
  readonly prefix?: string
}

export const etcdOptions = () => [
  new Option('--etcd-endpoints <urls>', 'members of the etcd, separated by commas').env('FLOTILLA_ETCD_ENDPOINTS'),
  new Option('--etcd-ca <file>', 'authority that signed their certificates').env('FLOTILLA_ETCD_CA'),
  new Option('--etcd-cert <file>', 'certificate that the server shows them').env('FLOTILLA_ETCD_CERT'),
  new Option('--etcd-key <file>', 'key of that certificate').env('FLOTILLA_ETCD_KEY'),
  new Option('--etcd-prefix <path>', 'everything lies below it (default: /flotilla)').env('FLOTILLA_ETCD_PREFIX'),
]

/** Undefined for the other stores. Throws a sentence where the flags do not fit together or a file cannot be read. */
export async function etcdOf(flags: EtcdFlags & { readonly store: string }): Promise<Etcd | undefined> {
  if (flags.store !== 'etcd') {
    if (flags.etcdEndpoints !== undefined) throw new Error('--etcd-endpoints goes with --store etcd')
    return undefined
  }
  const endpoints = (flags.etcdEndpoints ?? '').split(',').filter((url) => url !== '')
  if (endpoints.length === 0) throw new Error('--store etcd needs --etcd-endpoints https://HOST:2379,…')
  if ((flags.etcdCert === undefined) !== (flags.etcdKey === undefined))
    throw new Error('--etcd-cert and --etcd-key go together')
  const [ca, certificate, key] = await Promise.all([flags.etcdCa, flags.etcdCert, flags.etcdKey].map(contentOf))
  const tls = { ...(ca && { ca }), ...(certificate && { certificate }), ...(key && { key }) }
  return { endpoints, tls, ...(flags.etcdPrefix !== undefined && { prefix: flags.etcdPrefix }) }
}

async function contentOf(file: string | undefined): Promise<Uint8Array | undefined> {
  return file === undefined ? undefined : readFile(file)
}
