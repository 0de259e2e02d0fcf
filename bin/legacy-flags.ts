/** How the etcd v2 API is served, beside its address. */
import { readFile } from 'node:fs/promises'
import { Option } from 'commander'
import type { EtcdV2Settings } from '../api-server/etcd-v2.ts'

export interface LegacyDoorFlags {
  readonly etcdV2Strict?: boolean
  readonly legacyTlsCert?: string
  readonly legacyTlsKey?: string
  readonly legacyTlsCa?: string
}

export const legacyDoorOptions = () => [
  new Option('--etcd-v2-strict', 'keep a history of 1 000 events for watches, as etcd does, instead of all').env(
    'FLOTILLA_ETCD_V2_STRICT',
  ),
  new Option('--legacy-tls-cert <file>', 'serve the etcd v2 API with TLS and this certificate (PEM)').env(
    'FLOTILLA_LEGACY_TLS_CERT',
  ),
  new Option('--legacy-tls-key <file>', 'its key').env('FLOTILLA_LEGACY_TLS_KEY'),
  new Option(
    '--legacy-tls-ca <file>',
    'admit only clients with a certificate of this authority; its common name is their user for /v2/auth',
  ).env('FLOTILLA_LEGACY_TLS_CA'),
]

/** Rejects with a sentence when a file is missing or they do not make a whole. */
export async function etcdV2Settings(flags: LegacyDoorFlags): Promise<EtcdV2Settings> {
  const { etcdV2Strict: strict = false, legacyTlsCert: cert, legacyTlsKey: key, legacyTlsCa: ca } = flags
  if (cert === undefined && key === undefined && ca === undefined) return { strict }
  if (cert === undefined || key === undefined)
    throw new Error('TLS for the etcd v2 API needs both --legacy-tls-cert and --legacy-tls-key')
  return { strict, tls: { cert: await read(cert), key: await read(key), ...(ca && { ca: await read(ca) }) } }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new Error(`${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
