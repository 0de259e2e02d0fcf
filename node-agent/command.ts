/** `flotilla agent`: the agent as a process of its own, on a real host. Only here its parts are chosen. */
import { readFile } from 'node:fs/promises'
import { KubeConfig } from '@kubernetes/client-node'
import type { Logger } from 'pino'
import { connect } from '../controllers/lib/client.ts'
import { runAgent } from './main.ts'
import type { ServeSettings } from './serve/server.ts'
import type { AgentSettings } from './settings.ts'
import { openUnitDriver } from './units/open.ts'

/** Settles after `signal`; the machine's units go on running. Rejects when the agent cannot start. */
export async function runAgentCommand(settings: AgentSettings, log: Logger, signal: AbortSignal): Promise<void> {
  log.info({ settings }, 'agent starts')
  const kubeconfig = new KubeConfig()
  kubeconfig.loadFromFile(settings.kubeconfig)
  const tls = await doorCertificates(kubeconfig)
  if (tls === undefined) log.warn('no client certificate in the kubeconfig: no logs or commands through this agent')
  const { driver, reason } = await openUnitDriver({ kind: settings.driver, dataDir: settings.dataDir, log })
  log.info({ driver: driver.kind, reason }, 'unit driver chosen')
  const client = connect({ kubeconfig, userAgent: 'flotilla-agent' })
  try {
    await runAgent({
      ...{ client, driver, log, signal, name: settings.name, dataDir: settings.dataDir },
      leaseDurationMs: settings.leaseDurationMs,
      ...(settings.address === undefined ? {} : { address: settings.address }),
      ...(tls === undefined ? {} : { serve: { ...settings.listen, tls } }),
    })
  } finally {
    await client.close()
    await driver.close()
  }
}

/** A machine has one certificate: it says who calls the API server, and who answers it. */
async function doorCertificates(kubeconfig: KubeConfig): Promise<ServeSettings['tls'] | undefined> {
  const user = kubeconfig.getCurrentUser()
  const cluster = kubeconfig.getCurrentCluster()
  const [cert, key, ca] = await Promise.all([
    pem(user?.certData, user?.certFile),
    pem(user?.keyData, user?.keyFile),
    pem(cluster?.caData, cluster?.caFile),
  ])
  return cert && key && ca ? { cert, key, ca } : undefined
}

async function pem(data: string | undefined, file: string | undefined): Promise<Buffer | undefined> {
  if (data) return Buffer.from(data, 'base64')
  return file ? await readFile(file) : undefined
}
