/** `--here`: this host itself as a machine, its agent inside this process. */
import { join } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import type { Logger } from 'pino'
import type { ApiServer } from '../../api-server/main.ts'
import { connect } from '../../controllers/lib/client.ts'
import { runAgent } from '../../node-agent/main.ts'
import { openUnitDriver } from '../../node-agent/units/open.ts'
import { machineNameOfHost } from '../host-name.ts'
import { machineIdentity } from './machine-identity.ts'

export interface HereMachine {
  readonly name: string
  /** Why this driver and not another, in one sentence. */
  readonly why: string
  /** Stops the agent and the units it ran here. */
  close(): Promise<void>
}

export interface HereOptions {
  readonly server: ApiServer
  readonly dataDir: string
  readonly leaseDurationMs: number
  readonly log: Logger
  /** Told when the agent ends by itself. */
  readonly onFailure: (error: unknown) => void
}

export async function startHere({
  server,
  dataDir,
  leaseDurationMs,
  log,
  onFailure,
}: HereOptions): Promise<HereMachine> {
  const name = machineNameOfHost()
  const { driver, reason } = await openUnitDriver({ kind: 'auto', dataDir: join(dataDir, 'here'), log })
  const { kubeconfig, certificate, key, ca } = await machineIdentity(server, name, server.url, '127.0.0.1')
  const config = new KubeConfig()
  config.loadFromString(kubeconfig)
  const client = connect({ kubeconfig: config, userAgent: 'flotilla-agent' })
  const stop = new AbortController()
  const running = runAgent({
    client,
    name,
    driver,
    dataDir: join(dataDir, 'here'),
    leaseDurationMs,
    serve: { host: '127.0.0.1', port: 0, tls: { cert: certificate, key, ca } },
    log,
    signal: stop.signal,
  }).catch(onFailure)
  return {
    name,
    why: reason,
    close: async () => {
      stop.abort()
      await running
      await driver.close({ stopUnits: true })
      await client.close()
    },
  }
}
