/** A contender for a lock, as a process of its own, whose command writes down when it ran. */
import { existsSync, readFileSync } from 'node:fs'
import { type RunningProcess, runProcess, startProcess } from '../../support/process.ts'
import { BUNDLE } from '../../support/product.ts'
import { commandPath } from '../../support/requirements.ts'

/** Not what a developer's shell says. */
const ENV = { FLOTILLA_ENDPOINTS: undefined, ETCDCTL_ENDPOINTS: undefined, ETCDCTL_ENDPOINT: undefined }

/** `flotilla <args>` */
export function startLock(args: readonly string[]): Promise<RunningProcess> {
  return startProcess([process.execPath, BUNDLE, ...args], { env: ENV })
}

export function etcdctl(url: string, ...args: string[]) {
  const argv = [commandPath('etcdctl') ?? 'etcdctl', '--no-sync', '--endpoints', url, ...args]
  return runProcess(argv, { env: { ...ENV, ETCDCTL_API: '2' } })
}

/**
 * A command that appends a line `<token> <nanoseconds>` to `file` every few milliseconds, `$1` times, and pays no heed
 * to SIGTERM: it ends by itself or is killed.
 */
export function diary(file: string, entries: number): string[] {
  const script = `trap : TERM; n=0; while [ $n -lt ${entries} ]; do echo "$FLOTILLA_LOCK_INDEX $(date +%s%N)" >> '${file}'; sleep 0.02; n=$((n + 1)); done`
  return ['sh', '-c', script]
}

export interface Run {
  readonly token: number
  readonly from: bigint
  readonly to: bigint
}

/** What the commands wrote, one run for each fencing token, by their beginning. */
export function runsOf(file: string): Run[] {
  const runs = new Map<number, Run>()
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  for (const [, word = '', time = ''] of text.matchAll(/^(\d+) (\d+)$/gm)) {
    const [token, at] = [Number(word), BigInt(time)]
    runs.set(token, { token, from: runs.get(token)?.from ?? at, to: at })
  }
  return [...runs.values()].sort((one, other) => (one.from < other.from ? -1 : 1))
}

/** Throws, naming them, where one run began before an earlier one had ended, or with a token that is not greater. */
export function mustNotOverlap(runs: readonly Run[]): void {
  for (const [at, run] of runs.entries()) {
    const before = runs[at - 1]
    if (before && (before.to >= run.from || before.token >= run.token))
      throw new Error(`run ${run.token} began at ${run.from}, run ${before.token} ended at ${before.to}`)
  }
}
