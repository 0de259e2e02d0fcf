/** A machine loses its power: how long until what ran there is active elsewhere, by the word of the systemd there? */
import { requirement } from '../support/requirements.ts'
import { firstProcessOf } from '../support/traces.ts'
import { until } from '../support/until.ts'
import { activeSince, agentPid } from './flotilla/machines.ts'
import { type Flotilla, startFlotilla } from './flotilla/running.ts'
import { watchUnits } from './flotilla/unit-watch.ts'
import { createSleeper, unitName } from './flotilla/units.ts'
import { atMost, type Question } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'
import { runLoad } from './load/run.ts'
import { wallClockMs } from './load/template.ts'

const MACHINES = ['m1', 'm2', 'm3']
const UNITS = 12
const ELSEWHERE = atMost(10)
const TIMEOUT_MS = 60_000

export const failover: Question = {
  name: 'failover',
  asks: 'a machine dies: how long until its units are active on another one?',
  lacking: () => requirement('lab'),
  async run({ quick }) {
    return {
      figures: await rounds(quick ? 1 : 3, 0, round),
      references: [
        { what: 'fleet: 30.6 s', source: 'spec/fleet.md §10' },
        { what: 'Kubernetes: 340 s by default', source: 'design.md §8' },
      ],
      notes: [`${UNITS} units on ${MACHINES.length} machines; PID 1 of one machine is killed, and everything with it`],
    }
  },
}

async function round(collect: Collector): Promise<void> {
  await using flotilla = await startFlotilla(['up', '--machines', String(MACHINES.length)])
  await using watch = await watchUnits(flotilla.api)
  const { api } = flotilla
  await runLoad({
    do: 'burst',
    target: api,
    request: createSleeper(api),
    connections: 1,
    firstNumber: 0,
    requests: UNITS,
  })
  const names = Array.from({ length: UNITS }, (_, number) => unitName(number))
  const areReported = () => names.every((name) => watch.seen(name).reportedMs !== undefined)
  await until(areReported, { what: 'units reported active', timeoutMs: TIMEOUT_MS })
  const lost = watch.seen(names[0] ?? '').machine ?? ''
  const pid = await firstProcessOf(flotilla.dataDir, lost)
  if (pid === undefined) throw new Error(`no first process of ${lost}`)
  const killedMs = wallClockMs()
  process.kill(pid, 'SIGKILL')
  const lostUnits = names.filter((name) => watch.seen(name).machine === lost)
  const activeMs = await activeElsewhere(flotilla, { lost, lostUnits })
  collect.add(
    'flotilla',
    'machine killed → the last of its units active elsewhere',
    's',
    (activeMs - killedMs) / 1_000,
    ELSEWHERE,
  )
}

interface Loss {
  readonly lost: string
  readonly lostUnits: readonly string[]
}

/** When the last of them became active, in systemd's own words. */
async function activeElsewhere({ dataDir }: Flotilla, { lost, lostUnits }: Loss): Promise<number> {
  const others = MACHINES.filter((machine) => machine !== lost)
  const agents = await Promise.all(others.map((machine) => agentPid(dataDir, machine)))
  const all = async () => {
    const times = (await Promise.all(agents.map((pid) => activeSince(pid, lostUnits)))).flatMap((each) => [...each])
    return times.length === lostUnits.length && Math.max(...times.map(([, ms]) => ms))
  }
  return until(all, { what: `the units of ${lost} active elsewhere`, timeoutMs: TIMEOUT_MS })
}
