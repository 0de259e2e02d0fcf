/**
 * The fence over systemd. Extending it starts a transient timer with the moment as its deadline, which in the same
 * transaction brings up the lease target; only then the timers before it are stopped. A message that is late (an agent
 * or a bus that was frozen) starts a timer that elapses at once. One timer is always on: an agent may die anywhere.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Variant } from 'dbus-next'
import { monotonicUs } from '../../machine/monotonic.ts'
import { BusRefusedError } from '../dbus-connection.ts'
import type { SystemdBus } from '../systemd-bus.ts'
import { refusal, reload } from '../systemd-files.ts'
import type { Fence, FenceTimes } from './fence.ts'
import { fenceFiles, GATES, gateOf, LEASE_TARGET, TIMERS, timerOf, uidOfGate } from './unit-files.ts'

const FOLDER = '/run/systemd/system'
const JOB_TIMEOUT_MS = 1_000
const NO_UNITS: readonly unknown[] = []

export function systemdFence(bus: SystemdBus, times: FenceTimes): Fence {
  let armed: readonly string[] = []
  const arm = async (untilUs: number, wants: readonly string[]): Promise<void> => {
    const name = timerOf(untilUs)
    const properties = await timerProperties(bus, untilUs, wants, times)
    const before = armed
    // Known before it is there: one that was started though the answer was lost must not outlive the next.
    armed = [...before, name]
    const [job] = await bus.manager('StartTransientUnit', 'ssa(sv)a(sa(sv))', [name, 'replace', properties, NO_UNITS])
    const result = await bus.jobResult(String(job), JOB_TIMEOUT_MS)
    if (result !== 'done') {
      // The target must not be up without a timer.
      await stop(bus, [LEASE_TARGET])
      throw new Error(`systemd did not start ${name}: ${result || 'no answer'}`)
    }
    if (wants.length === 0) return
    await stop(bus, before)
    armed = armed.filter((other) => !before.includes(other))
  }
  return {
    prepare: async () => {
      if (await writeFiles(times)) await reload(bus)
      armed = await activeUnits(bus, TIMERS)
      if (armed.length > 0) await arm(monotonicUs() + times.stopAfterMs * 1_000, [])
    },
    extend: (untilUs) => arm(untilUs, [LEASE_TARGET]),
    open: (uid) => open(bus, uid),
    close: (uid) => stop(bus, [gateOf(uid)]),
    openGates: async () => new Set((await activeUnits(bus, GATES)).flatMap((name) => uidOfGate(name) ?? [])),
  }
}

/** OnStartupSec counts from systemd's own start, also in a container. */
async function timerProperties(bus: SystemdBus, untilUs: number, wants: readonly string[], times: FenceTimes) {
  const startedUs = Number(await bus.managerProperty('UserspaceTimestampMonotonic'))
  const afterUs = Math.max(1, Math.round(untilUs - startedUs))
  return [
    ['Description', new Variant('s', 'Exclusive units stop when this elapses')],
    ['TimersMonotonic', new Variant('a(st)', [['OnStartupSec', BigInt(afterUs)]])],
    ['AccuracyUSec', new Variant('t', BigInt(Math.round(times.accuracyMs * 1_000)))],
    ['RemainAfterElapse', new Variant('b', false)],
    ['DefaultDependencies', new Variant('b', false)],
    ['Wants', new Variant('as', wants)],
  ]
}

/** True when something changed. */
async function writeFiles(times: FenceTimes): Promise<boolean> {
  const changes = await Promise.all(
    fenceFiles(times).map(async ({ name, content }) => {
      const place = join(FOLDER, name)
      if ((await readFile(place, 'utf8').catch(() => undefined)) === content) return false
      await writeFile(join(FOLDER, `.${name}`), content, { mode: 0o644 })
      await rename(join(FOLDER, `.${name}`), place)
      return true
    }),
  )
  return changes.includes(true)
}

async function open(bus: SystemdBus, uid: string): Promise<string | undefined> {
  let job: unknown
  const refused = await refusal(
    bus.manager('StartUnit', 'ss', [gateOf(uid), 'replace']).then((answer) => {
      job = answer[0]
    }),
  )
  if (refused !== undefined) return refused
  const result = await bus.jobResult(String(job), JOB_TIMEOUT_MS)
  return result === 'done' ? undefined : `the lease of this machine ran out before it could start (${result})`
}

/** Those that are not loaded have stopped already. */
async function stop(bus: SystemdBus, names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      try {
        await bus.manager('StopUnit', 'ss', [name, 'replace'])
      } catch (error) {
        if (!(error instanceof BusRefusedError && error.errorName.endsWith('.NoSuchUnit'))) throw error
      }
    }),
  )
}

async function activeUnits(bus: SystemdBus, pattern: string): Promise<readonly string[]> {
  const [rows] = await bus.manager('ListUnitsByPatterns', 'asas', [['active'], [pattern]])
  return (rows as unknown[][]).map((row) => String(row[0]))
}
