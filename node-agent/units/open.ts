/** Chooses the unit driver of this machine. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { DriverUnavailableError, type UnitDriver } from './driver.ts'
import { openProcessDriver } from './process.ts'
import { defaultAddress, openSystemdDriver } from './systemd.ts'
import type { BusAddress } from './systemd-bus.ts'

/** There exactly while systemd is the machine's init: what sd_booted(3) looks at. */
const BOOTED = '/run/systemd/system'

export interface OpenUnitDriverOptions {
  readonly kind: 'auto' | 'system' | 'user' | 'process'
  /** The driver keeps to `agent/units`, `agent/run` and `agent/logs` below it. */
  readonly dataDir: string
  readonly log: Logger
}

export interface OpenedUnitDriver {
  readonly driver: UnitDriver
  /** One sentence for the person who started the agent. */
  readonly reason: string
}

/** Rejects with DriverUnavailableError when a systemd was asked for, or should be there, and does not answer. */
export async function openUnitDriver({ kind, dataDir, log }: OpenUnitDriverOptions): Promise<OpenedUnitDriver> {
  const unitDir = join(dataDir, 'agent/units')
  const { choice, reason } = kind === 'auto' ? choose() : { choice: kind, reason: `the ${kind} driver was asked for` }
  if (choice === 'process') {
    const driver = await openProcessDriver({
      unitDir,
      runDir: join(dataDir, 'agent/run'),
      logDir: join(dataDir, 'agent/logs'),
      log,
    })
    return { driver, reason }
  }
  const address = choice === 'user' ? userAddress() : defaultAddress('system')
  if (!address) throw new DriverUnavailableError("the user's systemd has no socket in $XDG_RUNTIME_DIR")
  return { driver: await openSystemdDriver({ kind: choice, unitDir, log, address }), reason }
}

function choose(): { readonly choice: 'system' | 'user' | 'process'; readonly reason: string } {
  const isRoot = process.getuid?.() === 0
  const isBooted = existsSync(BOOTED)
  if (isRoot && isBooted)
    return { choice: 'system', reason: 'root on a machine run by systemd: units are units of the machine' }
  if (userAddress())
    return { choice: 'user', reason: "not root, and the user's systemd runs: units are the user's own" }
  const why = isBooted ? "not root, and the user's systemd does not run" : 'systemd does not run on this machine'
  return { choice: 'process', reason: `${why}: services are child processes, and what needs systemd is refused` }
}

/** The user's bus where there is one, else the manager's own socket; undefined when the manager does not run. */
function userAddress(): BusAddress | undefined {
  const runtimeDir = process.env.XDG_RUNTIME_DIR ?? `/run/user/${process.getuid?.()}`
  const own = join(runtimeDir, 'systemd/private')
  if (!existsSync(own)) return undefined
  const bus = defaultAddress('user')
  return existsSync(bus.socketPath) ? bus : { socketPath: own, isBus: false }
}
