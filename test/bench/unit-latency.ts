/**
 * From the 201 of a Unit to `active` in the systemd of its machine. The end is systemd's own word
 * (ActiveEnterTimestamp), so nothing of our reporting is in it; all machines share the clock of this box.
 *
 * The stages in between are seen by a watch: they say where the time goes, give or take that watch's own delay.
 */
import { requirement } from '../support/requirements.ts'
import { until } from '../support/until.ts'
import { deleteUnit, listUnits } from './flotilla/call.ts'
import { activeSince, agentPid } from './flotilla/machines.ts'
import { type Flotilla, startFlotilla } from './flotilla/running.ts'
import { type Story, type UnitWatch, watchUnits } from './flotilla/unit-watch.ts'
import { createSleeper, unitName } from './flotilla/units.ts'
import { atMost, type Bar, type Question, type Settings } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'
import { percentile } from './harness/statistics.ts'
import { runLoad } from './load/run.ts'

const MACHINES = ['m1', 'm2', 'm3']
const AT_ONCE = 200
const CONNECTIONS = 32
const P50_MS = atMost(150)
const P99_MS = atMost(500)
const ALL_ACTIVE_TIMEOUT_MS = 60_000

export const unitLatency: Question = {
  name: 'unit-latency',
  asks: `how long from a unit's 201 until systemd has it active, for one and for ${AT_ONCE} at once on ${MACHINES.length} machines?`,
  lacking: () => requirement('lab'),
  async run(settings) {
    await using flotilla = await startFlotilla(['up', '--machines', String(MACHINES.length)])
    await using watch = await watchUnits(flotilla.api)
    const run = { flotilla, watch, numbers: counter() }
    const one = await rounds(1, 1, (collect) => oneByOne(collect, run, settings))
    const many = await rounds(settings.quick ? 1 : 5, 1, (collect) => manyAtOnce(collect, run))
    return {
      figures: [...one, ...many],
      references: [{ what: 'fleet: 4.3 s for one unit', source: 'design.md §8' }],
      notes: [
        'bound, claimed, reported: when a watch in another process saw it',
        'three systemds, three agents, the server and the clients share the processors of this box',
      ],
    }
  },
}

interface Run {
  readonly flotilla: Flotilla
  readonly watch: UnitWatch
  /** Names are used once. */
  readonly numbers: { next(count: number): number }
}

function counter(): Run['numbers'] {
  let last = 0
  return {
    next(count) {
      last += count
      return last - count
    },
  }
}

async function oneByOne(collect: Collector, run: Run, { quick }: Settings): Promise<void> {
  const stories: Story[] = []
  for (let i = 0; i < (quick ? 3 : 15); i++) stories.push(...(await create(run, 1, 1)))
  tell(collect, 'one unit', stories, { p50: P50_MS, p99: P99_MS })
}

async function manyAtOnce(collect: Collector, run: Run): Promise<void> {
  const stories = await create(run, AT_ONCE, CONNECTIONS)
  tell(collect, `${AT_ONCE} units`, stories, { p50: P50_MS, p99: P99_MS })
}

/** Creates units, follows them until all are active, asks systemd since when, and removes them again. */
async function create({ flotilla, watch, numbers }: Run, count: number, connections: number): Promise<Story[]> {
  const { api, dataDir } = flotilla
  const firstNumber = numbers.next(count)
  const request = createSleeper(api)
  const load = { do: 'burst', target: api, request, connections, firstNumber, requests: count } as const
  const { answeredAtMs, refused } = await runLoad(load)
  if (Object.keys(refused).length > 0) throw new Error(`creates refused: ${JSON.stringify(refused)}`)
  const names = answeredAtMs.map((_, index) => unitName(firstNumber + index))
  const followed = () => names.every((name) => watch.seen(name).reportedMs !== undefined)
  await until(followed, { timeoutMs: ALL_ACTIVE_TIMEOUT_MS, what: `${count} units reported active` })
  const active = await systemdTimes(dataDir)(names, watch)
  const stories = names.map((name, index) => {
    const createdMs = answeredAtMs[index] ?? Number.NaN
    return { ...watch.seen(name), createdMs, activeMs: active.get(name) ?? Number.NaN }
  })
  await remove(flotilla, firstNumber, count)
  return stories
}

function systemdTimes(dataDir: string) {
  return async (names: readonly string[], watch: UnitWatch): Promise<Map<string, number>> => {
    const asked = MACHINES.map(async (machine) => {
      const mine = names.filter((name) => watch.seen(name).machine === machine)
      return mine.length === 0 ? [] : [...(await activeSince(await agentPid(dataDir, machine), mine))]
    })
    return new Map((await Promise.all(asked)).flat())
  }
}

async function remove({ api }: Flotilla, firstNumber: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await deleteUnit(api, firstNumber + i)
  const gone = async () => (await listUnits(api)).items.length === 0
  await until(gone, { timeoutMs: ALL_ACTIVE_TIMEOUT_MS, what: 'the units gone' })
}

function tell(
  collect: Collector,
  what: string,
  stories: readonly Story[],
  bars: { readonly p50: Bar; readonly p99: Bar },
): void {
  const since = (end: (story: Story) => number | undefined) =>
    stories.map((story) => (end(story) ?? Number.NaN) - story.createdMs)
  const active = since((story) => story.activeMs)
  collect.add('flotilla', `${what}: 201 → active in systemd, p50`, 'ms', percentile(active, 50), bars.p50)
  collect.add('flotilla', `${what}: 201 → active in systemd, p99`, 'ms', percentile(active, 99), bars.p99)
  collect.add('flotilla', `${what}: 201 → active in systemd, max`, 'ms', percentile(active, 100))
  const stages = {
    bound: (s: Story) => s.boundMs,
    claimed: (s: Story) => s.claimedMs,
    reported: (s: Story) => s.reportedMs,
  }
  for (const [stage, end] of Object.entries(stages))
    for (const percent of [50, 99])
      collect.add('flotilla', `${what}: 201 → ${stage}, p${percent}`, 'ms', percentile(since(end), percent))
}
