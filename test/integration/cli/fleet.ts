/** A fleet in the test's process: server, controllers, and machines on the process driver. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { type ApiServer, startApiServer } from '../../../api-server/main.ts'
import { machineIdentity } from '../../../bin/up/machine-identity.ts'
import { type ApiClient, connect } from '../../../controllers/lib/client.ts'
import { runControllers } from '../../../controllers/main.ts'
import { Machine } from '../../../crds/machine.ts'
import { runAgent } from '../../../node-agent/main.ts'
import { openProcessDriver } from '../../../node-agent/units/process.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { until } from '../../support/until.ts'

export interface TestMachine {
  /** Ends the agent, its door and its services. */
  stop(): Promise<void>
}
export interface TestFleet {
  readonly server: ApiServer
  readonly kubeconfig: string
  readonly client: ApiClient
  startControllers(): Promise<void>
  startMachine(name: string): Promise<TestMachine>
  close(): Promise<void>
}

const log = pino({ level: 'silent' })

export async function startFleet(): Promise<TestFleet> {
  const dataDir = tempDir()
  const server = await startApiServer({ dataDir, listen: '127.0.0.1:0', store: 'memory', log })
  const client = connect({ kubeconfigPath: server.kubeconfigPath })
  const closers: (() => Promise<void>)[] = []
  return {
    server,
    kubeconfig: server.kubeconfigPath,
    client,
    startControllers: async () => {
      const stop = new AbortController()
      const running = runControllers({ client, identity: 'test', log, signal: stop.signal })
      closers.push(() => {
        stop.abort()
        return running
      })
    },
    startMachine: async (name) => {
      const machine = await startMachine(server, client, name)
      closers.push(machine.stop)
      return machine
    },
    close: async () => {
      for (const close of closers.toReversed()) await close()
      await client.close()
      await server.close()
    },
  }
}

async function startMachine(server: ApiServer, admin: ApiClient, name: string): Promise<TestMachine> {
  const dataDir = tempDir()
  const identity = await machineIdentity(server, name, server.url, '127.0.0.1')
  const kubeconfigPath = join(dataDir, 'kubeconfig')
  writeFileSync(kubeconfigPath, identity.kubeconfig, { mode: 0o600 })
  const client = connect({ kubeconfigPath })
  const [unitDir, runDir, logDir] = ['units', 'run', 'logs'].map((folder) => join(dataDir, 'agent', folder)) as [
    string,
    string,
    string,
  ]
  const driver = await openProcessDriver({ unitDir, runDir, logDir, log })
  const stop = new AbortController()
  const tls = { cert: identity.certificate, key: identity.key, ca: identity.ca }
  const serve = { host: '127.0.0.1', port: 0, tls }
  const running = runAgent({ ...{ client, name, driver, dataDir, serve, log }, signal: stop.signal })
  await until(async () => (await admin.get(Machine, name)).status?.agent, { what: `${name} to register` })
  let stopped: Promise<void> | undefined
  const end = async (): Promise<void> => {
    stop.abort()
    await running
    await driver.close({ stopUnits: true })
    await client.close()
  }
  return {
    stop: () => {
      stopped ??= end()
      return stopped
    },
  }
}
