/** The agent of one machine: says that it lives, what it is, and runs the units placed on it. */
import type { Logger } from 'pino'
import type { ApiClient } from '../controllers/lib/client.ts'
import { createRecorder, type EventRecorder } from '../controllers/lib/events.ts'
import { group } from '../controllers/lib/runnable.ts'
import { Unit } from '../crds/unit.ts'
import packageFile from '../package.json' with { type: 'json' }
import { type EtcdV2Settings, etcdV2Forwards } from './etcd-v2-forward/index.ts'
import { type Facts, readEpoch, readFacts } from './machine/facts.ts'
import { heartbeat } from './machine/heartbeat.ts'
import { monotonicUs } from './machine/monotonic.ts'
import { nameIsOurs } from './machine/name-guard.ts'
import { type Registration, registration } from './machine/registration.ts'
import type { MachineSight } from './machine/status.ts'
import type { ActionNews } from './serve/action.ts'
import { type AgentDoor, type ServeSettings, serveAgent } from './serve/server.ts'
import type { UnitDriver } from './units/driver.ts'
import { createExclusive } from './units/fence/exclusive.ts'
import { unitsRunnable } from './units/index.ts'

export interface AgentOptions {
  readonly client: ApiClient
  /** The machine's name in the API. */
  readonly name: string
  /** Owned by the caller, who closes it after this has settled. */
  readonly driver: UnitDriver
  /** Copies of the objects and what was done with them lie in `<dataDir>/agent`. */
  readonly dataDir: string
  /** The door for logs and commands; none unless given. */
  readonly serve?: ServeSettings
  /** The machine's own plain etcd v2 listeners, answered by the API servers; none unless given. */
  readonly etcdV2?: EtcdV2Settings
  readonly log: Logger
  readonly signal: AbortSignal
  /** How long the machine counts as alive after a heartbeat. Default 8 000. */
  readonly leaseDurationMs?: number
  /** How long to wait for a server before starting from the copies on disk. Default 5 000. */
  readonly serverWaitMs?: number
  /** Where others reach this machine; its first outside address unless given. */
  readonly address?: string
}

const LEASE_DURATION_MS = 8_000

/**
 * Runs until `signal` fires, then lets go without stopping a single unit. Rejects when it cannot start (the door's
 * address is taken, the data directory cannot be read); a server or manager that is away is waited for.
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { client, name, driver, dataDir, log, signal } = options
  await guardName(options)
  const stopping = new AbortController()
  const events = createRecorder({ client, component: 'flotilla-agent', host: name, log })
  const serving = {
    driver,
    log,
    onAction: (news: ActionNews) => tellAction(news, events, log),
    signal: stopping.signal,
  }
  const door = options.serve && (await serveAgent({ ...options.serve, ...serving }))
  const manager = { trouble: undefined as string | undefined }
  const register = registration({ client, machineName: name, log, look: lookAt(options, door, manager) })
  const leaseDurationMs = options.leaseDurationMs ?? LEASE_DURATION_MS
  const exclusive = createExclusive({ driver, leaseDurationMs, nowUs: monotonicUs, log })
  const units = unitsRunnable({
    ...{ client, machineName: name, driver, dataDir, exclusive, log },
    epoch: await readEpoch(),
    ...(options.serverWaitMs === undefined ? {} : { serverWaitMs: options.serverWaitMs }),
    onDriver: (trouble) => noteTrouble(manager, trouble, register),
    onHappening: (unit, { type, reason }, message) =>
      events.record(
        { apiVersion: Unit.apiVersion, kind: Unit.kind, metadata: unit.metadata },
        { type, reason, message },
      ),
  })
  const beat = heartbeat({
    client,
    machineName: name,
    leaseDurationMs,
    onRenewed: exclusive.renewed,
    log,
  })
  const forwards = options.etcdV2 ? etcdV2Forwards({ ...options.etcdV2, client, dataDir, log }) : []
  try {
    await group('agent', [...forwards, events, beat, register, units]).start(signal)
  } finally {
    stopping.abort()
    await door?.closed
  }
}

function tellAction({ subject, reason, message }: ActionNews, events: EventRecorder, log: Logger): void {
  const { name, uid, unitName, actor } = subject
  log.info({ unit: name, unitName, actor, message }, 'done by hand')
  events.record(
    { apiVersion: Unit.apiVersion, kind: Unit.kind, metadata: { name, uid } },
    { type: 'Normal', reason, message },
  )
}

async function guardName(options: AgentOptions): Promise<void> {
  const { machineID = '' } = await readFacts({ hasSystemd: false })
  const { name: machineName, leaseDurationMs = LEASE_DURATION_MS } = options
  await nameIsOurs({ ...options, machineName, machineID, leaseDurationMs }, options.signal)
}

function noteTrouble(
  manager: { trouble: string | undefined },
  trouble: string | undefined,
  register: Registration,
): void {
  if (manager.trouble === trouble) return
  manager.trouble = trouble
  register.wake()
}

function lookAt(
  { driver, address }: AgentOptions,
  door: AgentDoor | undefined,
  manager: { readonly trouble: string | undefined },
): () => Promise<MachineSight> {
  return async () => {
    const hasSystemd = driver.kind === 'system' || driver.kind === 'user'
    const facts = await readFacts({ hasSystemd, address })
    return {
      facts,
      agentVersion: packageFile.version,
      driver: driver.kind,
      trouble: manager.trouble,
      door: door && { address: doorAddress(door, facts), port: door.port },
    }
  }
}

/** A door open on every address is reached at the machine's own. */
function doorAddress(door: AgentDoor, facts: Facts): string {
  const isEverywhere = door.host === '0.0.0.0' || door.host === '::'
  const outside = facts.addresses?.find(({ type }) => type === 'InternalIP')?.address
  return isEverywhere ? (outside ?? '127.0.0.1') : door.host
}
