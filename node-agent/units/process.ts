/** The unit driver for machines without systemd (containers): supervises .service units as child processes. */
import { readFileSync } from 'node:fs'
import { homedir, hostname, userInfo } from 'node:os'
import type { Logger } from 'pino'
import type { UnitDriver } from './driver.ts'
import { captureLogs } from './process/captured-log.ts'
import { childLauncher } from './process/child-launcher.ts'
import { openRecords } from './process/records.ts'
import { superviseServices } from './process/services.ts'
import type { Host } from './process/specifiers.ts'
import { openUnitDirectory } from './unit-directory.ts'

export interface ProcessDriverOptions {
  /** `<data-dir>/agent/units`. */
  readonly unitDir: string
  /** State that an agent after a crash goes on from: who runs, since when. */
  readonly runDir: string
  /** Output of the services, at most 8 MB each. */
  readonly logDir: string
  readonly log: Logger
  /** How long `remove` waits for a service to stop before it kills all of its processes. */
  readonly stopDeadlineMs?: number
}

/** Takes over what an earlier agent left running; throws when another one is alive. `close` leaves services running. */
export async function openProcessDriver(options: ProcessDriverOptions): Promise<UnitDriver> {
  const host = thisHost()
  const files = await openUnitDirectory(options.unitDir)
  const records = openRecords(options.runDir, host.bootId)
  const stopping = new AbortController()
  const logs = captureLogs(options.logDir, [...(await files.read()).keys()])
  return superviseServices({
    kind: 'process',
    files,
    records,
    logs,
    host,
    launcher: childLauncher({ openOutput: logs.openOutput, signal: stopping.signal }),
    log: options.log,
    ...(options.stopDeadlineMs === undefined ? {} : { stopDeadlineMs: options.stopDeadlineMs }),
    onClose() {
      stopping.abort()
      logs.close()
      records.unlock()
    },
  })
}

export function thisHost(): Host {
  const { username, uid } = userInfo()
  return {
    hostname: hostname(),
    machineId: readId('/etc/machine-id'),
    bootId: readId('/proc/sys/kernel/random/boot_id').replaceAll('-', ''),
    runtimeDir: uid === 0 ? '/run' : (process.env.XDG_RUNTIME_DIR ?? `/run/user/${uid}`),
    userName: username,
    uid,
    home: homedir(),
  }
}

function readId(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    // Containers often have no machine-id; `%m` is empty there.
    return ''
  }
}
