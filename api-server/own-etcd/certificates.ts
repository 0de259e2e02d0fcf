/**
 * The certificates of one etcd member, signed by Flotilla's authority and kept with the others. That authority signs
 * machines, too, so being signed by it is not enough: etcd lets in clients only under CLIENT_NAME and peers only as
 * PEER_USER, and no request for a certificate from outside may ask for either.
 */

import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { ClientRequest, Pki } from '../auth/pki.ts'
import type { EtcdTls } from '../store/etcd/endpoint.ts'

export const CLIENT_NAME = 'client.etcd.flotilla'
/** In every member's certificate, wherever it listens. */
const SERVER_NAME = 'member.etcd.flotilla'
export const PEER_USER = 'flotilla:etcd-peer'

export interface EtcdFiles {
  readonly ca: string
  readonly server: { readonly certificate: string; readonly key: string }
  readonly peer: { readonly certificate: string; readonly key: string }
}

export interface EtcdCertificates {
  /** For etcd's command line. */
  readonly files: EtcdFiles
  /** For the API server's calls. */
  readonly client: EtcdTls
}

/** Issues what is missing, about to end or lacking a name. `hosts`: under which others find this member. */
export async function etcdCertificates(pki: Pki, dataDir: string, hosts: readonly string[]): Promise<EtcdCertificates> {
  const names = namesOf(['localhost', '127.0.0.1', ...ownAddresses(), ...hosts])
  const dnsNames = [...names.dnsNames, SERVER_NAME]
  await pki.storedClient('etcd-server', { ...names, commonName: 'flotilla:etcd-server', dnsNames })
  await pki.storedClient('etcd-peer', { ...names, commonName: PEER_USER })
  const client = await pki.storedClient('etcd-client', { commonName: 'flotilla:etcd-client', dnsNames: [CLIENT_NAME] })
  const folder = join(dataDir, 'pki')
  const pair = (name: string) => ({ certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) })
  return {
    files: { ca: join(folder, 'ca.crt'), server: pair('etcd-server'), peer: pair('etcd-peer') },
    client: {
      ca: Buffer.from(pki.caCertificate),
      certificate: Buffer.from(client.certificate),
      key: Buffer.from(client.key),
      serverName: SERVER_NAME,
    },
  }
}

/** A member dials out from whichever address the route takes. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return all.filter(({ address }) => !address.startsWith('fe80:')).map(({ address }) => address)
}

function namesOf(hosts: readonly string[]) {
  const all = [...new Set(hosts)]
  return {
    dnsNames: all.filter((host) => isIP(host) === 0),
    ipAddresses: all.filter((host) => isIP(host) !== 0),
  } satisfies Pick<ClientRequest, 'dnsNames' | 'ipAddresses'>
}
