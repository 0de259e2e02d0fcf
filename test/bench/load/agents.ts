/** Many simulated agents in one process; each further line on standard input is answered with what they did since the last. */
import { spreadOf } from '../harness/statistics.ts'
import type { Agents, AgentsResult } from './job.ts'
import { type SimulatedAgent, startAgent } from './simulated-agent.ts'

const STARTED_AT_ONCE = 8

export interface RunningAgents {
  readonly count: number
  /** What they did since the last call. */
  result(): AgentsResult
  close(): void
}

export async function agents({ target, machines, firstNumber }: Agents): Promise<RunningAgents> {
  let latencies: number[] = []
  let refused: Record<string, number> = {}
  let failures: string[] = []
  const events = {
    onAnswer: (status: number, tookMs: number) => {
      latencies.push(tookMs)
      if (status >= 300) refused[status] = (refused[status] ?? 0) + 1
    },
    onFailure: (error: Error) => void failures.push(error.message),
  }
  const running: SimulatedAgent[] = []
  let next = firstNumber
  const startSome = async () => {
    for (let mine = next++; mine < firstNumber + machines; mine = next++)
      running.push(await startAgent(target, `sim-${String(mine).padStart(4, '0')}`, events))
  }
  await Promise.all(Array.from({ length: STARTED_AT_ONCE }, startSome))
  let before = running.map(({ heard }) => heard())
  return {
    count: running.length,
    result: () => {
      const now = running.map(({ heard }) => heard())
      const heard = now.map((count, index) => count - (before[index] ?? 0))
      const result = { heard, writesMs: latencies.length > 0 ? spreadOf(latencies) : undefined, refused, failures }
      before = now
      latencies = []
      refused = {}
      failures = []
      return result
    },
    close: () => {
      for (const agent of running) agent.close()
    },
  }
}
