/**
 * `flotilla up`: everything on one box, in the order in which each part needs the one before, and away again in the
 * opposite order. Whatever was begun is undone, also when a later step fails.
 */
import type { Logger } from 'pino'
import { type ApiServer, startApiServer } from '../../api-server/main.ts'
import { type Lab, missingForLab, openLab } from '../../node-agent/lab/index.ts'
import { auditOf } from '../audit-flags.ts'
import type { UpFlags } from '../commands/up.ts'
import { fleetListen, legacyListen } from '../defaults.ts'
import { machineNameOfHost } from '../host-name.ts'
import { etcdV2Settings } from '../legacy-flags.ts'
import { createLog } from '../log.ts'
import { stopped, stopSignal } from '../stop-signal.ts'
import { startControllers } from './control.ts'
import { startHere } from './here.ts'
import { lookAfter, startLabMachine } from './lab-machines.ts'
import { createProgress, type Progress } from './progress.ts'
import { machinesReady } from './readiness.ts'
import { createTeardown, type Teardown } from './teardown.ts'

const DEFAULT_MACHINES = 3

interface Running {
  readonly flags: UpFlags
  readonly progress: Progress
  readonly teardown: Teardown
  readonly log: Logger
  readonly signal: AbortSignal
}

export async function up(flags: UpFlags): Promise<void> {
  const signal = stopSignal()
  const progress = createProgress()
  const log = createLog(flags.logLevel, 'up')
  const teardown = createTeardown(log)
  const begun = performance.now()
  try {
    const server = await bringUp({ flags, progress, teardown, log, signal })
    if (!signal.aborted) sayReady(progress, server, performance.now() - begun)
    await stopped(signal)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    progress.say('stopping')
    await teardown.run()
  }
}

/** How many isolated machines, and whether this host is one: what was asked for, or what this box can do. */
async function choose(
  { machines, here = false }: UpFlags,
  progress: Progress,
): Promise<{ count: number; here: boolean }> {
  if (machines === 0 || (here && machines === undefined)) return { count: 0, here }
  const missing = await missingForLab()
  if (missing === undefined) return { count: machines ?? DEFAULT_MACHINES, here }
  progress.say(`${missing} This host itself becomes the machine (--here).`)
  return { count: 0, here: true }
}

async function bringUp(running: Running): Promise<ApiServer> {
  const { flags, progress, teardown, log, signal } = running
  const { count, here } = await choose(flags, progress)
  const lab =
    count === 0
      ? undefined
      : await progress.step('network for the machines', () => openLab({ dataDir: flags.dataDir, log, signal }))
  if (lab) teardown.add('machines', () => lab.close())
  const server = await progress.step('API server', () => startServer(flags, lab, log))
  teardown.add('API server', () => server.close())
  for (const sentence of server.notices) progress.say(sentence)
  const controllers = await progress.step('controllers', () => startControllers(server, flags.leaseDuration, log))
  teardown.add('controllers', controllers.close)
  if (here) await addHere(running, server)
  const names = Array.from({ length: count }, (_, index) => `m${index + 1}`)
  if (lab) await progress.step(`${count} machines with their own systemd`, () => bootAll(lab, server, names, running))
  const expected = [...names, ...(here ? [machineNameOfHost()] : [])]
  if (expected.length > 0) await progress.step('machines Ready', () => machinesReady(server.registry, expected, signal))
  for (const machine of lab?.machines() ?? [])
    lookAfter(machine, { progress, leaseDurationMs: flags.leaseDuration, log, signal })
  return server
}

async function startServer(flags: UpFlags, lab: Lab | undefined, log: Logger): Promise<ApiServer> {
  const { dataDir, listen } = flags
  return startApiServer({
    dataDir,
    listen,
    legacyListen: legacyListen(flags),
    fleetListen: fleetListen(flags),
    etcdV2: await etcdV2Settings(flags),
    ...auditOf(flags),
    alsoListen: lab ? [`${lab.hostAddress}:0`] : [],
    log,
  })
}

async function addHere({ flags, progress, teardown, log }: Running, server: ApiServer): Promise<void> {
  const onFailure = (error: unknown) => log.error({ err: error }, 'the agent of this host ended')
  const here = await progress.step('this host as a machine', () =>
    startHere({ server, dataDir: flags.dataDir, leaseDurationMs: flags.leaseDuration, log, onFailure }),
  )
  progress.say(`  ${here.name}: ${here.why}`)
  teardown.add('this host as a machine', here.close)
}

async function bootAll(lab: Lab, server: ApiServer, names: readonly string[], running: Running): Promise<void> {
  const { flags, signal } = running
  const common = { serverUrl: server.otherUrls[0] ?? server.url, leaseDurationMs: flags.leaseDuration, signal }
  await Promise.all(names.map((name) => startLabMachine(lab, server, { ...common, name })))
}

function sayReady({ say }: Progress, { kubeconfigPath }: ApiServer, tookMs: number): void {
  say(`\nready: kubeconfig ${kubeconfigPath}`)
  say(`
after ${(tookMs / 1000).toFixed(1)} s. Next:
  export KUBECONFIG=${kubeconfigPath}
  kubectl get machines
  kubectl apply -f manifests/quickstart/
  kubectl get units -w
Without kubectl: npm run flotilla -- get machines | apply -f … | watch units | journal web.service -f
Ctrl-C stops everything.`)
}
