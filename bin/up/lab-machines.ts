/** The isolated machines of `up`: each boots a real systemd, which starts our agent from the bundle bound into it. */
import { realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import type { ApiServer } from '../../api-server/main.ts'
import { sleep, systemClock } from '../../controllers/lib/clock.ts'
import type { Bind, Lab, Machine } from '../../node-agent/lab/index.ts'
import { machineIdentity } from './machine-identity.ts'
import type { Progress } from './progress.ts'

const BUNDLE = '/opt/flotilla'
const NODE = '/opt/flotilla-node'
const AGENT_PORT = 10250
const BOOT_TIMEOUT_MS = 60_000
/** What a watchdog does for real hardware; late enough that the fleet has missed the machine and moved its units. */
const CRASH_REBOOT_LEASES = 15 / 8

const agentUnit = (node: string, name: string, leaseDurationMs: number) => `[Unit]
Description=Flotilla node agent
After=dbus.service systemd-journald.service

[Service]
Type=exec
ExecStart=${node} --max-semi-space-size=2 ${BUNDLE}/flotilla.js agent --name ${name} --kubeconfig /etc/flotilla/kubeconfig --data-dir /var/lib/flotilla --driver system --listen 0.0.0.0:${AGENT_PORT} --lease-duration ${leaseDurationMs / 1_000}s
Restart=always
RestartSec=1
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
`

export interface LabMachineOptions {
  readonly name: string
  readonly serverUrl: string
  readonly leaseDurationMs: number
  readonly signal: AbortSignal
}

/** Boots machine `name`, its agent included; resolves when its systemd says that the boot is complete. */
export async function startLabMachine(
  lab: Lab,
  server: ApiServer,
  { name, serverUrl, leaseDurationMs, signal }: LabMachineOptions,
): Promise<Machine> {
  const identity = await machineIdentity(server, name, serverUrl, '127.0.0.1')
  const { node, binds } = await runtime()
  const secret = (path: string, content: string) => ({ path, content, mode: 0o600 })
  const machine = await lab.create(name, {
    binds,
    files: [secret('/etc/flotilla/kubeconfig', identity.kubeconfig)],
    units: [{ name: 'flotilla-agent.service', content: agentUnit(node, name, leaseDurationMs), enable: true }],
    signal,
  })
  await machine.waitRunning(BOOT_TIMEOUT_MS, signal)
  return machine
}

export interface Care {
  readonly progress: Progress
  readonly leaseDurationMs: number
  readonly log: Logger
  readonly signal: AbortSignal
}

/** Tells of machines that go down, and boots a crashed one again; one that was switched off from inside stays off. */
export function lookAfter(machine: Machine, care: Care): void {
  const { progress, signal } = care
  machine.onEnding((ending) => {
    if (signal.aborted || ending === 'reboot') return
    if (ending === 'poweroff') return progress.say(`${machine.name} was switched off`)
    progress.say(`${machine.name} crashed; it boots again in ${crashRebootMs(care) / 1_000} s`)
    void bootAgain(machine, care)
  })
}

function crashRebootMs({ leaseDurationMs }: Care): number {
  return leaseDurationMs * CRASH_REBOOT_LEASES
}

async function bootAgain(machine: Machine, care: Care): Promise<void> {
  const { progress, log, signal } = care
  if (!(await sleep(systemClock, crashRebootMs(care), signal))) return
  try {
    await machine.start()
    progress.say(`${machine.name} boots again`)
  } catch (error) {
    log.error({ err: error, machine: machine.name }, 'machine did not boot again')
  }
}

/** Node under /usr is in every machine already; from anywhere else it is bound in by itself. */
async function runtime(): Promise<{ node: string; binds: Bind[] }> {
  const bundle = await realpath(dirname(fileURLToPath(import.meta.url)))
  const node = await realpath(process.execPath)
  const binds: Bind[] = [{ source: bundle, target: BUNDLE }]
  if (node.startsWith('/usr/')) return { node, binds }
  return { node: join(NODE, 'node'), binds: [...binds, { source: node, target: join(NODE, 'node') }] }
}
