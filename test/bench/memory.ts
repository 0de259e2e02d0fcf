/** Resident memory of processes that have nothing to do. All of them idle side by side. */
import { setTimeout as delay } from 'node:timers/promises'
import { requirement } from '../support/requirements.ts'
import { agentPid } from './flotilla/machines.ts'
import { residentMB } from './flotilla/proc.ts'
import { type Flotilla, startFlotilla } from './flotilla/running.ts'
import { createIdle } from './flotilla/units.ts'
import { atMost, type Question, type Settings } from './harness/figure.ts'
import { type Collector, rounds } from './harness/rounds.ts'
import { runLoad } from './load/run.ts'

const TOGETHER_MB = atMost(200)
const AGENT_MB = atMost(90)
const OBJECTS = 10_000

export const memory: Question = {
  name: 'memory',
  asks: 'how much memory (RSS) does an idle process hold?',
  async run(settings) {
    const notes = [
      '"here" is server, controllers and agent in one process; its agent uses the driver that this box has',
    ]
    const noLab = requirement('lab')
    if (noLab !== undefined) notes.push(`the agent alone was not measured: ${noLab}`)
    return { figures: await rounds(settings.quick ? 1 : 3, 0, (collect) => round(collect, settings)), notes }
  },
}

async function round(collect: Collector, settings: Settings): Promise<void> {
  await using server = await startFlotilla(['server'])
  await using control = await startFlotilla(['up', '--machines', '0'])
  await using here = await startFlotilla(['up', '--here', '--machines', '0'])
  await idle(settings)
  collect.add('server', 'RSS, idle', 'MB', await residentMB(server.pid))
  collect.add('server + controllers', 'RSS, idle', 'MB', await residentMB(control.pid), TOGETHER_MB)
  collect.add('here', 'RSS, idle', 'MB', await residentMB(here.pid), TOGETHER_MB)
  await fill(server)
  await idle(settings)
  collect.add('server', `RSS, idle, after ${OBJECTS} creates of 1 KB`, 'MB', await residentMB(server.pid))
  if (requirement('lab') === undefined) await agentAlone(collect, settings)
}

async function agentAlone(collect: Collector, settings: Settings): Promise<void> {
  await using up = await startFlotilla(['up', '--machines', '1'])
  await idle(settings)
  collect.add('agent', 'RSS, idle', 'MB', await residentMB(await agentPid(up.dataDir, 'm1')), AGENT_MB)
}

async function fill({ api }: Flotilla): Promise<void> {
  const request = createIdle(api, 1024)
  await runLoad({ do: 'burst', target: api, request, connections: 32, firstNumber: 0, requests: OBJECTS })
}

/** Long enough for what start-up needed to be let go of. */
function idle({ quick }: Settings): Promise<void> {
  return delay(quick ? 2_000 : 10_000)
}
