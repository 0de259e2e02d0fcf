/** Starts the process that has the store open, with one job. */
import { join } from 'node:path'
import { runProcess } from '../../support/process.ts'
import type { FillJob, FillResult, Job, SpeedJob, SpeedResult } from './job.ts'

const WORKER = join(import.meta.dirname, 'worker.ts')
const LIMIT_MS = 300_000

export function runStore(job: SpeedJob): Promise<SpeedResult>
export function runStore(job: FillJob): Promise<FillResult>
export async function runStore(job: Job): Promise<SpeedResult | FillResult> {
  const argv = [process.execPath, '--import', 'tsx/esm', WORKER, JSON.stringify(job)]
  const { code, stdout, stderr } = await runProcess(argv, { timeoutMs: LIMIT_MS })
  if (code !== 0) throw new Error(`the store's ${job.do} failed: ${stderr}`)
  return JSON.parse(stdout)
}
