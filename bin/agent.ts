/** `flotilla agent`: credentials from the kubeconfig, a driver for this host, and the agent between them. */
import { readFileSync } from 'node:fs'
import { KubeConfig } from '@kubernetes/client-node'
import { claimsToBeMachine } from '../api-server/auth/identity.ts'
import { connect } from '../controllers/lib/client.ts'
import type { EtcdV2Settings } from '../node-agent/etcd-v2-forward/index.ts'
import { runAgent } from '../node-agent/main.ts'
import type { ServeSettings } from '../node-agent/serve/server.ts'
import { openUnitDriver } from '../node-agent/units/open.ts'
import type { AgentFlags } from './commands/agent.ts'
import { machineNameOfHost } from './host-name.ts'
import { createLog } from './log.ts'
import { stopSignal } from './stop-signal.ts'

export async function agent(flags: AgentFlags): Promise<void> {
  const { dataDir, address } = flags
  const signal = stopSignal()
  const log = createLog(flags.logLevel, 'agent')
  const kubeconfig = new KubeConfig()
  kubeconfig.loadFromFile(flags.kubeconfig)
  const name = flags.name ?? machineNameOfHost()
  const tls = certificateOf(kubeconfig)
  const serve = tls && { ...addressOf(flags.listen), tls }
  const etcdV2 = tls && etcdV2Of(kubeconfig, flags.etcdV2Listen, tls)
  if (serve === undefined)
    log.warn('the kubeconfig holds no certificate for this machine: logs, exec and etcd v2 are not served')
  const { driver, reason } = await openUnitDriver({ kind: flags.driver, dataDir, log })
  log.info({ name, driver: driver.kind, reason }, 'agent starts')
  const client = connect({ kubeconfig, userAgent: 'flotilla-agent' })
  try {
    await runAgent({
      client,
      name,
      driver,
      dataDir,
      log,
      signal,
      leaseDurationMs: flags.leaseDuration,
      ...(serve && { serve }),
      ...(etcdV2 && { etcdV2 }),
      ...(address !== undefined && { address }),
    })
  } finally {
    await driver.close()
    await client.close()
  }
}

/** A machine's one certificate opens the API to it and its own door to the API server (D9); other users have no door. */
function certificateOf(kubeconfig: KubeConfig): ServeSettings['tls'] | undefined {
  const user = kubeconfig.getCurrentUser()
  const cluster = kubeconfig.getCurrentCluster()
  const cert = pem(user?.certData, user?.certFile)
  const key = pem(user?.keyData, user?.keyFile)
  const ca = pem(cluster?.caData, cluster?.caFile)
  if (!cert || !key || !ca || !claimsToBeMachine({ user: user?.name ?? '', groups: [] })) return undefined
  return { cert, key, ca }
}

function etcdV2Of(kubeconfig: KubeConfig, listen: string, tls: ServeSettings['tls']): EtcdV2Settings | undefined {
  const addresses = listen.split(',').filter((text) => text.trim() !== '')
  const cluster = kubeconfig.getCurrentCluster()
  if (addresses.length === 0 || cluster === null) return undefined
  const { hostname, port } = new URL(cluster.server)
  const server = { host: unbracketed(hostname), port: Number(port || 443) }
  const { tlsServerName } = cluster
  return {
    listen: addresses.map((text) => addressOf(text.trim())),
    server: { ...server, ...(tlsServerName !== undefined && { serverName: tlsServerName }) },
    tls,
  }
}

/** `127.0.0.1:4001` or `[::1]:4001`. Throws a sentence. */
function addressOf(listen: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(listen) ?? []
  if (host === undefined || Number(port) > 65_535)
    throw new Error(`cannot listen on "${listen}": give HOST:PORT, for example 127.0.0.1:4001`)
  return { host: unbracketed(host), port: Number(port) }
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}

function pem(data: string | undefined, file: string | undefined): string | undefined {
  if (data) return Buffer.from(data, 'base64').toString()
  return file ? readFileSync(file, 'utf8') : undefined
}
