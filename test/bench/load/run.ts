/** Starts the client process and hands it a job. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { within } from '../../support/within.ts'
import type {
  Agents,
  AgentsResult,
  Burst,
  BurstResult,
  ClosedLoop,
  Job,
  LoadResult,
  Paced,
  Wake,
  WakeResult,
  Watch,
  WatchResult,
} from './job.ts'

const CLIENT = join(import.meta.dirname, 'client.ts')
/** Beyond the time that the job itself is to take. */
const LIMIT_MS = 120_000

export function runLoad(job: Burst): Promise<BurstResult>
export function runLoad(job: ClosedLoop | Paced): Promise<LoadResult>
export function runLoad(job: Wake): Promise<WakeResult>
/** Runs one job to its end. Rejects when the client fails, or takes two minutes longer than it should. */
export async function runLoad(job: Exclude<Job, Watch | Agents>): Promise<LoadResult | WakeResult> {
  const client = start(job)
  client.child.stdin.end()
  return (await client.nextLine()) as LoadResult | WakeResult
}

export interface RunningWatch extends AsyncDisposable {
  /** Ends the watch and says what arrived. */
  finish(): Promise<WatchResult>
}

/** Resolves once every watcher's watch has begun. */
export async function runWatch(job: Watch): Promise<RunningWatch> {
  const client = start(job)
  await client.nextLine()
  return {
    finish() {
      client.child.stdin.end()
      return client.nextLine() as Promise<WatchResult>
    },
    async [Symbol.asyncDispose]() {
      client.child.kill('SIGKILL')
      await client.exited
    },
  }
}

export interface RunningAgents extends AsyncDisposable {
  /** What the agents did since the last call. */
  result(): Promise<AgentsResult>
}

/** Resolves once all of them are registered and follow their units. */
export async function runAgents(job: Agents): Promise<RunningAgents> {
  const client = start(job)
  await client.nextLine()
  return {
    result() {
      client.child.stdin.write('result\n')
      return client.nextLine() as Promise<AgentsResult>
    },
    async [Symbol.asyncDispose]() {
      client.child.kill('SIGKILL')
      await client.exited
    },
  }
}

interface Client {
  readonly child: ChildProcessWithoutNullStreams
  readonly exited: Promise<unknown>
  /** The next line of its output as a value (`ready` as it is). */
  nextLine(): Promise<unknown>
}

function start(job: Job): Client {
  const limitMs = LIMIT_MS + ('durationMs' in job ? job.durationMs : 0)
  const child = spawn(process.execPath, ['--import', 'tsx', CLIENT], { stdio: 'pipe' })
  child.stderr.pipe(process.stderr)
  child.stdin.on('error', () => undefined) // it has failed and says why on stderr
  child.stdin.write(`${JSON.stringify(job)}\n`)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const exited = once(child, 'exit')
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  void exited.then(() => process.off('exit', kill))
  return {
    child,
    exited,
    async nextLine() {
      const { value, done } = await within(limitMs, lines.next(), `the client's ${job.do}`)
      if (done) throw new Error(`the client's ${job.do} failed`)
      return value === 'ready' ? value : JSON.parse(value)
    },
  }
}
