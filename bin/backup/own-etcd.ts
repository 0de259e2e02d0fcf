/** The etcd that a server runs by itself, started for as long as a backup or a restore takes: its server is stopped. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { OpenOptions } from '../../api-server/store/open.ts'

export interface OwnEtcdFlags {
  /** Begin a cluster here. */
  readonly clusterInit?: true
  readonly advertiseHost?: string
  readonly etcdListenClient?: string
  readonly etcdListenPeer?: string
  readonly etcdBinary?: string
}

export interface OwnEtcd {
  readonly etcd: NonNullable<OpenOptions['etcd']>
  stop(): Promise<void>
}

/** Whether a server with this data directory runs an etcd of its own. */
export function hasOwnEtcd(dataDir: string): boolean {
  return existsSync(join(dataDir, 'etcd-member.json'))
}

/** Rejects with a sentence where there is none and none is to be begun, and where a server runs on it. */
export async function startedOwnEtcd(dataDir: string, flags: OwnEtcdFlags, signal: AbortSignal): Promise<OwnEtcd> {
  const [{ startOwnEtcd }, { createLog }] = await Promise.all([
    import('../../api-server/own-etcd/index.ts'),
    import('../log.ts'),
  ])
  const { etcdListenClient: client, etcdListenPeer: peer, advertiseHost: advertise = '127.0.0.1' } = flags
  const become = flags.clusterInit ? ({ do: 'init' } as const) : undefined
  const listen = { client, peer, advertise }
  return startOwnEtcd({ dataDir, become, listen, binary: flags.etcdBinary, log: createLog('warn', 'etcd') }, signal)
}
