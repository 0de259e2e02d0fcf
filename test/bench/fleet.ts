/**
 * A thousand machines and thirty thousand units through the whole control plane: the real API, scheduler and lifecycle,
 * and simulated agents that speak the real protocol (leases, watches, claims, reports) without systemd.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../support/until.ts'
import { call } from './flotilla/call.ts'
import { peakOf, processorSeconds, residentMB } from './flotilla/proc.ts'
import { type Flotilla, startFlotilla } from './flotilla/running.ts'
import { SENT_AT, type Seen, type UnitWatch, watchUnits } from './flotilla/unit-watch.ts'
import { createStamped, UNITS, unitName } from './flotilla/units.ts'
import { atMost, type Bar, type Question, type Settings } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'
import { percentile } from './harness/statistics.ts'
import type { AgentsResult } from './load/job.ts'
import { type RunningAgents, runAgents, runLoad } from './load/run.ts'

/** The agents share two processes: one alone would be the bottleneck. */
const PROCESSES = 2
const CONNECTIONS = 8
const API_P99_MS = atMost(360)
const SCHEDULING_P99_MS = atMost(400)
const EXACTLY_ONE = atMost(1)
const CATCH_UP_MS = 60_000

interface Size {
  readonly machines: number
  readonly units: number
  readonly perSecond: number
  readonly singles: number
  readonly idleMs: number
}
const WHOLE: Size = { machines: 1_000, units: 30_000, perSecond: 150, singles: 30, idleMs: 10_000 }
const SHORT: Size = { machines: 50, units: 200, perSecond: 100, singles: 3, idleMs: 2_000 }

export const fleet: Question = {
  name: 'fleet',
  asks: `${WHOLE.machines} machines and ${WHOLE.units} units: how late is a placement, the first and the last, and whom does it wake?`,
  async run({ quick, say }) {
    const size = quick ? SHORT : WHOLE
    return {
      figures: await rounds(1, 0, (collect) => round(collect, size, say)),
      references: [
        {
          what: 'Docker Swarm, 1 000 machines, 30 000 containers: API p99 360 ms, scheduling p99 400 ms',
          source: 'design.md §8',
        },
      ],
      notes: [
        `units come at ${size.perSecond} a second; every agent renews its lease every 2 s (${size.machines / 2} writes a second)`,
        'bound, reported: from the sending of the create to when a watch in another process saw it',
        'control plane, agents and clients share the processors of this box',
      ],
    }
  },
}

interface Run {
  readonly collect: Collector
  readonly flotilla: Flotilla
  readonly watch: UnitWatch
  readonly agents: readonly RunningAgents[]
  readonly size: Size
}

async function round(collect: Collector, size: Size, say: Settings['say']): Promise<void> {
  await using flotilla = await startFlotilla(['up', '--machines', '0'])
  await using watch = await watchUnits(flotilla.api)
  const share = size.machines / PROCESSES
  const job = { do: 'agents', target: flotilla.api, machines: share } as const
  await using some = await runAgents({ ...job, firstNumber: 0 })
  await using others = await runAgents({ ...job, firstNumber: share })
  const agents = [some, others]
  say(`${size.machines} machines are registered`)
  const run: Run = { collect, flotilla, watch, agents, size }
  await resultOf(run)
  await singles(run, 'first', 0)
  await many(run)
  say(`${size.units} units run`)
  await singles(run, 'last', size.singles + size.units)
  await oneWakesOne(run)
  await atRest(run)
}

/** One after the other: nothing else goes on. */
async function singles(run: Run, which: string, firstNumber: number): Promise<void> {
  const numbers = Array.from({ length: run.size.singles }, (_, index) => firstNumber + index)
  for (const number of numbers) await one(run, number)
  const all = numbers.map((number) => run.watch.seen(unitName(number)))
  tell(run, `the ${which} ${numbers.length}, one by one`, all)
}

async function one({ flotilla: { api }, watch }: Run, number: number): Promise<void> {
  const request = createStamped(api, SENT_AT)
  await runLoad({ do: 'burst', target: api, request, connections: 1, firstNumber: number, requests: 1 })
  const isReported = () => watch.seen(unitName(number)).reportedMs !== undefined
  try {
    await until(isReported, { what: `unit ${number}`, timeoutMs: CATCH_UP_MS })
  } catch (cause) {
    const unit = await call(api, 'GET', `${UNITS}/${unitName(number)}`)
    throw new Error(`a unit that is not reported: ${JSON.stringify(unit)}`, { cause })
  }
}

async function many(run: Run): Promise<void> {
  const { collect, flotilla, watch, size } = run
  const { api, pid } = flotilla
  const before = await processorSeconds(pid)
  const peak = peakOf(() => residentMB(pid))
  const common = { target: api, request: createStamped(api, SENT_AT), connections: CONNECTIONS }
  const durationMs = (size.units / size.perSecond) * 1_000
  const pace = { ring: size.units, firstNumber: size.singles, perSecond: size.perSecond, durationMs }
  const creates = await runLoad({ do: 'paced', ...common, ...pace })
  const numbers = Array.from({ length: size.units }, (_, index) => size.singles + index)
  const all = () => numbers.map((number) => watch.seen(unitName(number)))
  const areReported = () => all().every(({ reportedMs }) => reportedMs !== undefined)
  await until(areReported, { what: `${size.units} units reported`, timeoutMs: CATCH_UP_MS })
  collect.add('flotilla', 'creates, answered', '/s', creates.requests / creates.seconds)
  collect.add('flotilla', 'API: a create, p99', 'ms', creates.latencyMs.p99, API_P99_MS)
  const { writesMs, refused } = await resultOf(run)
  collect.add('flotilla', "API: an agent's write, p99", 'ms', writesMs, API_P99_MS)
  collect.add('flotilla', "agents' writes that were refused, and tried again", 'events', refused)
  tell(run, `${size.units} units`, all(), SCHEDULING_P99_MS)
  collect.add('flotilla', 'processor time of the control plane', 's', (await processorSeconds(pid)) - before)
  collect.add('flotilla', 'RSS of the control plane, peak', 'MB', await peak.stop())
}

/** Placing, claiming and reporting one unit: its machine's agent hears of it, and no other. */
async function oneWakesOne(run: Run): Promise<void> {
  await resultOf(run)
  await one(run, 2 * run.size.singles + run.size.units)
  await delay(500)
  const { heard } = await resultOf(run)
  run.collect.add('flotilla', 'one placement: agents that heard anything', 'events', heard, EXACTLY_ONE)
}

async function atRest({ collect, flotilla: { pid }, size }: Run): Promise<void> {
  const before = await processorSeconds(pid)
  await delay(size.idleMs)
  const share = ((await processorSeconds(pid)) - before) / (size.idleMs / 1_000)
  collect.add('flotilla', 'at rest: processor time in each second', 's', share)
  collect.add('flotilla', 'at rest: RSS of the control plane', 'MB', await residentMB(pid))
}

/** Of all agents since the last time: the slowest process' p99, and how many heard of any unit. Throws where one failed. */
async function resultOf({ agents }: Run): Promise<{ writesMs: number; heard: number; refused: number }> {
  const results: readonly AgentsResult[] = await Promise.all(agents.map((each) => each.result()))
  const failures = results.flatMap(({ failures }) => failures)
  if (failures.length > 0) throw new Error(`agents lost their connections: ${failures[0]}`)
  return {
    refused: results.flatMap(({ refused }) => Object.values(refused)).reduce((sum, count) => sum + count, 0),
    writesMs: Math.max(...results.map(({ writesMs }) => writesMs?.p99 ?? 0)),
    heard: results.flatMap(({ heard }) => heard.filter((count) => count > 0)).length,
  }
}

function tell({ collect }: Run, what: string, units: readonly Seen[], bar?: Bar): void {
  const since = (end: (seen: Seen) => number | undefined) =>
    units.map((seen) => (end(seen) ?? Number.NaN) - (seen.sentMs ?? Number.NaN))
  const bound = since(({ boundMs }) => boundMs)
  collect.add('flotilla', `${what}: sent → bound, p50`, 'ms', percentile(bound, 50))
  collect.add('flotilla', `${what}: sent → bound, p99`, 'ms', percentile(bound, 99), bar)
  const reported = since(({ reportedMs }) => reportedMs)
  collect.add('flotilla', `${what}: sent → reported running, p50`, 'ms', percentile(reported, 50))
  collect.add('flotilla', `${what}: sent → reported running, p99`, 'ms', percentile(reported, 99))
}
