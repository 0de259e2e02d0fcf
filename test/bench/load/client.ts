/**
 * The client as a process of its own: a job on standard input (one line of JSON), the answer on standard output. In the
 * server's or the benchmark's process it would share their event loop and measure that.
 */
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { agents } from './agents.ts'
import { burst, closedLoop } from './closed-loop.ts'
import type { Agents, AgentsResult, Job, Watch, WatchResult } from './job.ts'
import { paced } from './paced.ts'
import { wake } from './wake.ts'
import { type Watchers, watchers } from './watchers.ts'

const QUIET_MS = 1_000

const input = createInterface({ input: process.stdin })
const inputEnds = new Promise<void>((resolve) => input.once('close', resolve))

async function watch(job: Watch): Promise<WatchResult> {
  const all = watchers(job)
  await all.ready
  process.stdout.write('ready\n')
  await inputEnds
  await quiet(all)
  return all.result()
}

async function simulate(job: Agents): Promise<AgentsResult> {
  const all = await agents(job)
  process.stdout.write('ready\n')
  input.on('line', () => process.stdout.write(`${JSON.stringify(all.result())}\n`))
  await inputEnds
  all.close()
  return all.result()
}

/** What is still on its way is waited for, as long as something comes. */
async function quiet(all: Watchers): Promise<void> {
  for (let seen = -1; seen !== all.events(); await delay(QUIET_MS)) seen = all.events()
}

function run(job: Job): Promise<unknown> {
  if (job.do === 'closed-loop') return closedLoop(job)
  if (job.do === 'burst') return burst(job)
  if (job.do === 'wake') return wake(job)
  if (job.do === 'agents') return simulate(job)
  return job.do === 'paced' ? paced(job) : watch(job)
}

input.once('line', (line) => {
  run(JSON.parse(line) as Job).then(
    (result) => process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit()),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
