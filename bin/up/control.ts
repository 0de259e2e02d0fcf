/** The controllers inside this process, talking to the API server as any others would. */
import { hostname } from 'node:os'
import { KubeConfig } from '@kubernetes/client-node'
import type { Logger } from 'pino'
import type { ApiServer } from '../../api-server/main.ts'
import { connect } from '../../controllers/lib/client.ts'
import { CONTROLLER_CONNECTIONS, runControllers } from '../../controllers/main.ts'

export async function startControllers(
  server: ApiServer,
  leaseDurationMs: number,
  log: Logger,
): Promise<{ close(): Promise<void> }> {
  const config = new KubeConfig()
  config.loadFromString(await server.controllersKubeconfig())
  const connection = { userAgent: 'flotilla-controllers', maxConnections: CONTROLLER_CONNECTIONS }
  const client = connect({ kubeconfig: config, ...connection })
  const stop = new AbortController()
  const identity = `${hostname()}-${process.pid}`
  const running = runControllers({ client, identity, leaseDurationMs, log, signal: stop.signal }).catch(
    (error: unknown) => log.error({ err: error }, 'the controllers ended'),
  )
  return {
    close: async () => {
      stop.abort()
      await running
      await client.close()
    },
  }
}
