/** The isolated machines of `up`: each boots a real systemd, which starts our agent from the bundle bound into it. */
import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ApiServer } from '../../api-server/main.ts'
import type { Bind, Lab, Machine } from '../../node-agent/lab/index.ts'
import { machineIdentity } from './machine-identity.ts'

const BUNDLE = '/opt/flotilla'
const NODE = '/opt/flotilla-node'
const AGENT_PORT = 10250
const BOOT_TIMEOUT_MS = 60_000

const agentUnit = (node: string, name: string) => `[Unit]
Description=Flotilla node agent
After=dbus.service systemd-journald.service

[Service]
Type=exec
ExecStart=${node} --max-semi-space-size=2 ${BUNDLE}/flotilla.js agent --name ${name} --kubeconfig /etc/flotilla/kubeconfig --data-dir /var/lib/flotilla --driver system --listen 0.0.0.0:${AGENT_PORT}
Restart=always
RestartSec=1
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
`

/** Boots machine `name`, its agent included; resolves when its systemd says that the boot is complete. */
export async function startLabMachine(
  lab: Lab,
  server: ApiServer,
  serverUrl: string,
  name: string,
  signal: AbortSignal,
): Promise<Machine> {
  const identity = await machineIdentity(server, name, serverUrl, '127.0.0.1')
  const { node, binds } = await runtime()
  const secret = (path: string, content: string) => ({ path, content, mode: 0o600 })
  const machine = await lab.create(name, {
    binds,
    files: [secret('/etc/flotilla/kubeconfig', identity.kubeconfig)],
    units: [{ name: 'flotilla-agent.service', content: agentUnit(node, name), enable: true }],
    signal,
  })
  await machine.waitRunning(BOOT_TIMEOUT_MS, signal)
  return machine
}

/** Node under /usr is in every machine already; from anywhere else it is bound in by itself. */
async function runtime(): Promise<{ node: string; binds: Bind[] }> {
  const bundle = await realpath(dirname(fileURLToPath(import.meta.url)))
  const node = await realpath(process.execPath)
  const binds: Bind[] = [{ source: bundle, target: BUNDLE }]
  if (node.startsWith('/usr/')) return { node, binds }
  return { node: join(NODE, 'node'), binds: [...binds, { source: node, target: join(NODE, 'node') }] }
}
