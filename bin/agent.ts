/** `flotilla agent`: credentials from the kubeconfig, a driver for this host, and the agent between them. */
import { readFileSync } from 'node:fs'
import { KubeConfig } from '@kubernetes/client-node'
import { claimsToBeMachine } from '../api-server/auth/identity.ts'
import { connect } from '../controllers/lib/client.ts'
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
  const serve = doorOf(kubeconfig, flags.listen)
  if (serve === undefined)
    log.warn('the kubeconfig holds no certificate for this machine: logs and exec are not served')
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
      ...(serve && { serve }),
      ...(address !== undefined && { address }),
    })
  } finally {
    await driver.close()
    await client.close()
  }
}

/** A machine's one certificate opens the API to it and its own door to the API server (D9); other users have no door. */
function doorOf(kubeconfig: KubeConfig, listen: string): ServeSettings | undefined {
  const user = kubeconfig.getCurrentUser()
  const cluster = kubeconfig.getCurrentCluster()
  const cert = pem(user?.certData, user?.certFile)
  const key = pem(user?.keyData, user?.keyFile)
  const ca = pem(cluster?.caData, cluster?.caFile)
  if (!cert || !key || !ca || !claimsToBeMachine({ user: user?.name ?? '', groups: [] })) return undefined
  const colon = listen.lastIndexOf(':')
  return { host: listen.slice(0, colon), port: Number(listen.slice(colon + 1)), tls: { cert, key, ca } }
}

function pem(data: string | undefined, file: string | undefined): string | undefined {
  if (data) return Buffer.from(data, 'base64').toString()
  return file ? readFileSync(file, 'utf8') : undefined
}
