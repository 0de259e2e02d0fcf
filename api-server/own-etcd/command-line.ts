/** etcd's command line, for 3.4 and newer: every option here is in all of them. Pure. */
import { CLIENT_NAME, type EtcdFiles, PEER_USER } from './certificates.ts'
import type { MemberFile } from './member-file.ts'

export interface EtcdCommand {
  readonly member: MemberFile
  readonly dataFolder: string
  readonly files: EtcdFiles
  readonly bootstrap: Bootstrap
  /** etcd's own default (2 GiB) unless given. */
  readonly quotaBytes?: number | undefined
}

/** Who else is in the cluster; of consequence only while etcd's data folder is empty. */
export type Bootstrap =
  | { readonly state: 'new' | 'existing'; readonly peers: readonly { readonly name: string; readonly url: string }[] }
  /** etcd's own protocol: members find each other under that URL. */
  | { readonly state: 'discovery'; readonly url: string }

/**
 * Nothing is compacted by etcd itself: the API server knows how much history its watchers need. Any certificate of
 * Flotilla's authority would pass etcd's check of the chain, so names are asked for, too.
 */
export function etcdArguments({ member, dataFolder, files, bootstrap, quotaBytes }: EtcdCommand): string[] {
  const { name, clientListen, clientUrl, peerListen, peerUrl } = member
  const options: Record<string, string | undefined> = {
    name,
    'data-dir': dataFolder,
    'listen-client-urls': `https://${clientListen}`,
    'advertise-client-urls': clientUrl,
    'listen-peer-urls': `https://${peerListen}`,
    'initial-advertise-peer-urls': peerUrl,
    ...bootstrapOptions(bootstrap),
    'trusted-ca-file': files.ca,
    'cert-file': files.server.certificate,
    'key-file': files.server.key,
    'client-cert-auth': 'true',
    'client-cert-allowed-hostname': CLIENT_NAME,
    'peer-trusted-ca-file': files.ca,
    'peer-cert-file': files.peer.certificate,
    'peer-key-file': files.peer.key,
    'peer-client-cert-auth': 'true',
    'peer-cert-allowed-cn': PEER_USER,
    // JSON over HTTP for others than us; it would dial etcd under a name that etcd does not let in.
    'enable-grpc-gateway': 'false',
    // One that was away does not unseat a leader that the others still hear.
    'pre-vote': 'true',
    'quota-backend-bytes': quotaBytes === undefined ? undefined : String(quotaBytes),
    logger: 'zap',
    'log-outputs': 'stderr',
    'log-level': 'info',
  }
  return Object.entries(options).flatMap(([option, value]) => (value === undefined ? [] : [`--${option}=${value}`]))
}

function bootstrapOptions(bootstrap: Bootstrap): Record<string, string> {
  if (bootstrap.state === 'discovery') return { discovery: bootstrap.url }
  const cluster = bootstrap.peers.map(({ name, url }) => `${name}=${url}`).join(',')
  return { 'initial-cluster': cluster, 'initial-cluster-state': bootstrap.state }
}
