import { resolve } from 'node:path'
import { runProcess } from '../support/process.ts'
import type { Outcome } from './check.ts'

const TIMEOUT_MS = 120_000
const ROOT = resolve(import.meta.dirname, '../..')

/** A command of the project's own packages as a check: what it prints when it fails is the problem. */
export async function commandOutcome(argv: readonly string[], looked: string): Promise<Outcome> {
  const env = { NO_COLOR: '1', FORCE_COLOR: '0' }
  const { code, signal, stdout, stderr } = await runProcess(argv, { cwd: ROOT, env, timeoutMs: TIMEOUT_MS })
  if (code === 0) return { problems: [], looked }
  const printed = `${stdout}${stderr}`.trim()
  return { problems: [printed === '' ? `${argv.join(' ')}: ${signal ?? `exit code ${code}`}` : printed], looked }
}
