/**
 * From the 201 of a Unit to `active` in the systemd of its machine. The end is systemd's own word
 * (ActiveEnterTimestamp), so nothing of our reporting is in it; all machines share the clock of this box.
 *
 * The stages in between are seen by a watch: they say where the time goes, give or take that watch's own delay. Beside
 * us, in turn: the same units given to the same three systemds by hand, which is the floor on this box.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { requirement } from '../support/requirements.ts'
import { until } from '../support/until.ts'
import { listUnits } from './flotilla/call.ts'
import { activeSince, agentPid, goneFrom, machineSeconds, removeByHand, startByHand } from './flotilla/machines.ts'
import { processorSeconds } from './flotilla/proc.ts'
import { type Flotilla, startFlotilla } from './flotilla/running.ts'
import { type Story, type UnitWatch, watchUnits } from './flotilla/unit-watch.ts'
import { createSleeper, deleteRequest, PREFIX, SLEEPER, unitName } from './flotilla/units.ts'
import { atMost, type Bar, type Figure, type Question } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'
import { percentile } from './harness/statistics.ts'
import { runLoad } from './load/run.ts'

const MACHINES = ['m1', 'm2', 'm3']
/** How many at once; the bars are for 200. */
const CROWDS = [50, 200, 1_000]
const BARRED = 200
const CONNECTIONS = 32
const P50_MS = atMost(150)
const P99_MS = atMost(500)
const DESTROYED = 50
/** What is destroyed has run for a while: its creation is not to be paid for here. */
const SETTLE_MS = 2_000
const DESTROY_MS = atMost(1_000)
/** What is spent inside the machines by all but the agents. */
const MACHINES_SHARE = 'systemd and units'
const ALL_ACTIVE_TIMEOUT_MS = 60_000

export const unitLatency: Question = {
  name: 'unit-latency',
  asks: `how long from a unit's 201 until systemd has it active, for one and for ${CROWDS.join(', ')} at once on ${MACHINES.length} machines?`,
  lacking: () => requirement('lab'),
  async run({ quick }) {
    await using flotilla = await startFlotilla(['up', '--machines', String(MACHINES.length)])
    await using watch = await watchUnits(flotilla.api)
    const agents = await Promise.all(MACHINES.map((machine) => agentPid(flotilla.dataDir, machine)))
    const run: Run = { flotilla, watch, agents, numbers: counter() }
    const one = await rounds(1, 1, (collect) => oneByOne(collect, run, quick ? 3 : 15))
    const many: Figure[] = []
    for (const count of quick ? CROWDS.slice(0, 2) : CROWDS)
      many.push(...(await rounds(quick ? 1 : count > BARRED ? 2 : 5, 1, (collect) => crowd(collect, run, count))))
    const destroyed = await rounds(quick ? 1 : 5, 1, (collect) => destroy(collect, run))
    return {
      figures: [...one, ...many, ...destroyed],
      references: [
        { what: 'fleet: 4.3 s for one unit, 4.4 s for 50; 70 s to destroy 50', source: 'spec/fleet.md §10' },
      ],
      notes: [
        'bound, claimed, reported: when a watch in another process saw it',
        'by hand: files in /run/systemd/system and one `systemctl start` a machine, at the same time on all three',
        'three systemds, three agents, the server and the clients share the processors of this box',
      ],
    }
  },
}

interface Run {
  readonly flotilla: Flotilla
  readonly watch: UnitWatch
  /** The agents' processes, in the order of MACHINES. */
  readonly agents: readonly number[]
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

async function oneByOne(collect: Collector, run: Run, count: number): Promise<void> {
  const stories: Story[] = []
  for (let i = 0; i < count; i++) {
    const firstNumber = run.numbers.next(1)
    stories.push(...(await create(run, firstNumber, 1, 1)))
    await remove(run.flotilla, firstNumber, 1)
  }
  tell(collect, 'one unit', stories)
}

async function crowd(collect: Collector, run: Run, count: number): Promise<void> {
  await manyAtOnce(collect, run, count)
  await byHand(collect, run, count)
}

async function manyAtOnce(collect: Collector, run: Run, count: number): Promise<void> {
  const firstNumber = run.numbers.next(count)
  const before = await processorTimes(run)
  const stories = await create(run, firstNumber, count, CONNECTIONS)
  const after = await processorTimes(run)
  tell(collect, `${count} units`, stories, count === BARRED)
  for (const [who, seconds] of Object.entries(after))
    collect.add(who, `${count} units: processor time`, 's', seconds - (before[who] ?? Number.NaN))
  await remove(run.flotilla, firstNumber, count)
}

/** From the first answered DELETE until none runs on any machine, and until no file of them is left there. */
async function destroy(collect: Collector, run: Run): Promise<void> {
  const { flotilla, agents } = run
  const firstNumber = run.numbers.next(DESTROYED)
  await create(run, firstNumber, DESTROYED, CONNECTIONS)
  await delay(SETTLE_MS)
  const gone = Promise.all(agents.map((pid) => goneFrom(pid, PREFIX)))
  const begunMs = await remove(flotilla, firstNumber, DESTROYED)
  const tell = (what: string, ends: readonly number[], bar?: Bar) =>
    collect.add('flotilla', `${DESTROYED} units destroyed: ${what}`, 'ms', Math.max(...ends) - begunMs, bar)
  const machines = await gone
  tell(
    'none runs',
    machines.map(({ stoppedMs }) => stoppedMs),
    DESTROY_MS,
  )
  tell(
    'no file is left',
    machines.map(({ goneMs }) => goneMs),
  )
}

/** Creates units and follows them until all are active; asks systemd since when. */
async function create(run: Run, firstNumber: number, count: number, connections: number): Promise<Story[]> {
  const { flotilla, watch } = run
  const { api } = flotilla
  const request = createSleeper(api)
  const load = { do: 'burst', target: api, request, connections, firstNumber, requests: count } as const
  const { answeredAtMs, refused } = await runLoad(load)
  if (Object.keys(refused).length > 0) throw new Error(`creates refused: ${JSON.stringify(refused)}`)
  const names = answeredAtMs.map((_, index) => unitName(firstNumber + index))
  const followed = () => names.every((name) => watch.seen(name).reportedMs !== undefined)
  await until(followed, { timeoutMs: ALL_ACTIVE_TIMEOUT_MS, what: `${count} units reported active` })
  const active = await systemdTimes(run, (machine) => names.filter((name) => watch.seen(name).machine === machine))
  return names.map((name, index) => ({
    ...watch.seen(name),
    createdMs: answeredAtMs[index] ?? Number.NaN,
    activeMs: active.get(name) ?? Number.NaN,
  }))
}

async function systemdTimes(
  { agents }: Pick<Run, 'agents'>,
  unitsOf: (machine: string) => readonly string[],
): Promise<Map<string, number>> {
  const asked = MACHINES.map((machine, index) => activeSince(agents[index] ?? 0, unitsOf(machine)))
  return new Map((await Promise.all(asked)).flatMap((times) => [...times]))
}

async function byHand(collect: Collector, run: Run, count: number): Promise<void> {
  const { agents } = run
  const before = await processorTimes(run)
  const shares = MACHINES.map((_, machine) =>
    Array.from({ length: count }, (_unused, unit) => `by-hand-${unit}.service`).filter(
      (_name, unit) => unit % MACHINES.length === machine,
    ),
  )
  const share = (index: number) => shares[index] ?? []
  const asked = await Promise.all(agents.map((pid, index) => startByHand(pid, share(index), SLEEPER)))
  const took: number[] = []
  for (const [index, pid] of agents.entries()) {
    const all = async () => {
      const times = await activeSince(pid, share(index))
      return times.size === share(index).length && times
    }
    const times = await until(all, { timeoutMs: ALL_ACTIVE_TIMEOUT_MS, what: 'units started by hand' })
    for (const activeMs of times.values()) took.push(activeMs - (asked[index] ?? Number.NaN))
  }
  for (const percent of [50, 99])
    collect.add('systemctl', `${count} units: asked → active in systemd, p${percent}`, 'ms', percentile(took, percent))
  const after = await processorTimes(run)
  const spent = (after[MACHINES_SHARE] ?? Number.NaN) - (before[MACHINES_SHARE] ?? Number.NaN)
  if (!Number.isNaN(spent)) collect.add('systemctl', `${count} units: processor time, systemd and units`, 's', spent)
  await Promise.all(agents.map((pid, index) => removeByHand(pid, share(index))))
}

/** When the first of them was answered: wall clock, ms. */
async function remove({ api }: Flotilla, firstNumber: number, count: number): Promise<number> {
  const request = deleteRequest(api)
  const { answeredAtMs } = await runLoad({
    do: 'burst',
    target: api,
    request,
    connections: Math.min(count, 8),
    firstNumber,
    requests: count,
  })
  const gone = async () => (await listUnits(api)).items.length === 0
  await until(gone, { timeoutMs: ALL_ACTIVE_TIMEOUT_MS, what: 'the units gone' })
  return Math.min(...answeredAtMs)
}

/** Who has used how much so far; machines only where their cgroups tell. */
async function processorTimes({ flotilla, agents }: Run): Promise<Record<string, number>> {
  const sum = (all: readonly number[]) => all.reduce((total, one) => total + one, 0)
  const ofAgents = sum(await Promise.all(agents.map(processorSeconds)))
  const ofMachines = await Promise.all(MACHINES.map((name) => machineSeconds(flotilla.dataDir, name)))
  const known = ofMachines.filter((seconds) => seconds !== undefined)
  return {
    'server + controllers': await processorSeconds(flotilla.pid),
    agents: ofAgents,
    ...(known.length === MACHINES.length && { [MACHINES_SHARE]: sum(known) - ofAgents }),
  }
}

function tell(collect: Collector, what: string, stories: readonly Story[], isBarred = true): void {
  const since = (end: (story: Story) => number | undefined) =>
    stories.map((story) => (end(story) ?? Number.NaN) - story.createdMs)
  const active = since(({ activeMs }) => activeMs)
  collect.add(
    'flotilla',
    `${what}: 201 → active in systemd, p50`,
    'ms',
    percentile(active, 50),
    isBarred ? P50_MS : undefined,
  )
  collect.add(
    'flotilla',
    `${what}: 201 → active in systemd, p99`,
    'ms',
    percentile(active, 99),
    isBarred ? P99_MS : undefined,
  )
  collect.add('flotilla', `${what}: 201 → active in systemd, max`, 'ms', percentile(active, 100))
  const stages: Readonly<Record<string, (story: Story) => number | undefined>> = {
    bound: ({ boundMs }) => boundMs,
    claimed: ({ claimedMs }) => claimedMs,
    reported: ({ reportedMs }) => reportedMs,
  }
  for (const [stage, end] of Object.entries(stages))
    for (const percent of [50, 99])
      collect.add('flotilla', `${what}: 201 → ${stage}, p${percent}`, 'ms', percentile(since(end), percent))
}
