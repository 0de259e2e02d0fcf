/** The unit driver over systemd: the machine's own manager as root, the user's manager otherwise. */
import type { Logger } from 'pino'
import { coalesce } from './changes.ts'
import { BusRefusedError } from './dbus-connection.ts'
import type { Outcome, UnitDriver } from './driver.ts'
import type { FenceTimes } from './fence/fence.ts'
import { systemdFence } from './fence/systemd-fence.ts'
import { journalArguments, readJournal } from './journalctl.ts'
import { availableControllers, unenforceable } from './limits/controllers.ts'
import { type BusAddress, openSystemdBus, type SystemdBus } from './systemd-bus.ts'
import { explainUnit } from './systemd-explain.ts'
import { installFiles, refusal, removeFiles } from './systemd-files.ts'
import { observeUnits } from './systemd-observe.ts'
import { systemdReach } from './systemd-reach.ts'
import { inStages, restartUnit, startUnit } from './systemd-start.ts'
import { sweepCandidates, verifier } from './systemd-verify.ts'
import { openUnitDirectory, type UnitDirectory } from './unit-directory.ts'
import { isUnitName, notFromFile, splitUnitName } from './unit-name.ts'

/** Longer than systemd's own 90 s default, so that its SIGKILL, which it explains, normally comes first. */
const STOP_DEADLINE_MS = 120_000
const KILL_DEADLINE_MS = 10_000
const SIGKILL = 9

export interface SystemdDriverOptions {
  readonly kind: 'system' | 'user'
  /** `<data-dir>/agent/units`: ours alone; systemd gets links to the files in it. */
  readonly unitDir: string
  readonly log: Logger
  /** The bus socket; default: the system's, or the user's own. */
  readonly address?: BusAddress
  /** How long systemd is waited for at first; 5 000 when absent. */
  readonly connectTimeoutMs?: number
  /** How long `remove` waits for a unit to stop before it kills all of its processes. */
  readonly stopDeadlineMs?: number
}

/** Rejects with DriverUnavailableError when this systemd does not answer in time. */
export async function openSystemdDriver(options: SystemdDriverOptions): Promise<UnitDriver> {
  const { kind, log, connectTimeoutMs = 5000, stopDeadlineMs = STOP_DEADLINE_MS } = options
  const dir = await openUnitDirectory(options.unitDir)
  await sweepCandidates(options.unitDir)
  const bus = await openSystemdBus({ address: options.address ?? defaultAddress(kind), log, connectTimeoutMs })
  const controllers = await availableControllers(bus, kind)
  const remove = (names: readonly string[]) => removeUnits(bus, dir, names, stopDeadlineMs)
  return {
    kind,
    install: (files) => installFiles(bus, dir, files, verifier({ kind, scratchDir: options.unitDir, log })),
    remove,
    start: (names) => inOrder(names, (name) => startUnit(bus, name, log)),
    stop: (names) => each(names, (name) => stopUnit(bus, name)),
    restart: (names) => inOrder(names, (name) => restartUnit(bus, name, log)),
    observe: (names) => observeUnits(bus, names),
    installed: dir.read,
    changes: (signal) => coalesce(bus.onHint, signal),
    explain: (name) => explainUnit(bus, name, kind === 'user' ? 'USER_UNIT' : 'UNIT'),
    journal: (name, { signal, ...which }) =>
      readJournal(journalArguments([`${kind === 'user' ? '--user-unit' : '--unit'}=${name}`], which), signal),
    ...(kind === 'system' && { fence: (times: FenceTimes) => systemdFence(bus, times) }),
    ...systemdReach(bus, kind),
    unsupported: (file) => notFromFile(file.name) ?? unenforceable(file, controllers),
    async close({ stopUnits = false } = {}) {
      if (stopUnits) await remove([...(await dir.read()).keys()])
      await bus.close()
    },
  }
}

export function defaultAddress(kind: 'system' | 'user'): BusAddress {
  if (kind === 'system') return { socketPath: '/run/dbus/system_bus_socket', isBus: true }
  return { socketPath: `${process.env.XDG_RUNTIME_DIR ?? `/run/user/${process.getuid?.()}`}/bus`, isBus: true }
}

async function each(names: readonly string[], act: (name: string) => Promise<unknown>): Promise<readonly Outcome[]> {
  return Promise.all(
    names.map(async (name) => {
      const refused = isUnitName(name) ? await refusal(act(name)) : `'${name}' is not a unit name`
      return refused === undefined ? { name } : { name, refused }
    }),
  )
}

async function inOrder(names: readonly string[], act: (name: string) => Promise<unknown>): Promise<readonly Outcome[]> {
  const outcomes = new Map<string, Outcome>()
  for (const stage of inStages(names)) for (const outcome of await each(stage, act)) outcomes.set(outcome.name, outcome)
  return names.map((name) => outcomes.get(name) ?? { name })
}

/** Answers the job, '' when there is nothing to stop: the unit is not loaded. */
async function stopUnit(bus: SystemdBus, name: string): Promise<string> {
  try {
    const [job] = await bus.manager('StopUnit', 'ss', [name, 'replace'])
    return String(job)
  } catch (error) {
    if (error instanceof BusRefusedError && error.errorName.endsWith('.NoSuchUnit')) return ''
    throw error
  }
}

/** Only what this driver installed: a name that it never wrote may be a service of the host's own. */
async function removeUnits(
  bus: SystemdBus,
  dir: UnitDirectory,
  names: readonly string[],
  deadlineMs: number,
): Promise<readonly Outcome[]> {
  const installed = await dir.read()
  const ours = names.filter((name) => installed.has(name))
  const outcomes = await each(ours, (name) => stopCompletely(bus, name, deadlineMs))
  await removeFiles(
    bus,
    dir,
    outcomes.filter(({ refused }) => refused === undefined).map(({ name }) => name),
  )
  const refusedOf = new Map(outcomes.map((outcome) => [outcome.name, outcome]))
  return names.map((name) => refusedOf.get(name) ?? { name })
}

async function stopCompletely(bus: SystemdBus, name: string, deadlineMs: number): Promise<void> {
  const job = splitUnitName(name).isTemplate ? '' : await stopUnit(bus, name)
  if (job === '' || (await bus.jobResult(job, deadlineMs)) !== '') return
  await refusal(bus.manager('KillUnit', 'ssi', [name, 'all', SIGKILL]))
  // A process that no signal ends (a disk that hangs) still runs: the unit is not given away.
  const ended = await bus.jobResult(job, KILL_DEADLINE_MS)
  if (ended === '') throw new BusRefusedError('Timeout', 'still running after SIGKILL')
}
