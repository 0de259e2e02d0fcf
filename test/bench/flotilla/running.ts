/** Flotilla as a user starts it: the command, its ready line, its kubeconfig. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type RunningProcess, startProcess } from '../../support/process.ts'
import { tempDir } from '../../support/temp-dir.ts'
import type { Target } from '../load/connection.ts'
import { bundle } from './bundle.ts'

export interface Flotilla extends AsyncDisposable {
  readonly pid: number
  readonly dataDir: string
  /** `<data-dir>/endpoints.json`. */
  readonly endpoints: Readonly<Record<string, string>>
  /** The API with the admin's certificate. */
  readonly api: Target
  /** From the start of the process to its ready line. */
  readonly readyMs: number
}

const started = new Set<RunningProcess>()
const READY_TIMEOUT_MS = 90_000
const STOP_TIMEOUT_MS = 60_000

/** Runs `flotilla <args>` on a data folder (a new one by default) until disposed of. */
export async function startFlotilla(args: readonly string[], dataDir = tempDir()): Promise<Flotilla> {
  const begun = performance.now()
  const command = [
    process.execPath,
    ...nodeFlags(),
    bundle(),
    ...args,
    '--data-dir',
    dataDir,
    '--listen',
    '127.0.0.1:0',
    '--legacy-listen',
    '127.0.0.1:0',
  ]
  const running = await startProcess(command)
  started.add(running)
  try {
    const ready = await running.waitForLine(/^ready: kubeconfig (.+)$/, { timeoutMs: READY_TIMEOUT_MS })
    const readyMs = performance.now() - begun
    const api = await targetOf(ready[1] ?? '')
    const endpoints = JSON.parse(await readFile(join(dataDir, 'endpoints.json'), 'utf8'))
    return { pid: running.pid, dataDir, endpoints, api, readyMs, [Symbol.asyncDispose]: () => stop(running) }
  } catch (error) {
    await stop(running)
    throw error
  }
}

/** For an early end: a killed `up` would leave its machines' networks behind. */
export async function stopAll(): Promise<void> {
  await Promise.allSettled([...started].map(stop))
}

/** For profiles: FLOTILLA_BENCH_NODE_FLAGS="--cpu-prof --cpu-prof-dir=…". */
function nodeFlags(): string[] {
  return (process.env.FLOTILLA_BENCH_NODE_FLAGS ?? '').split(' ').filter((flag) => flag !== '')
}

async function stop(running: RunningProcess): Promise<void> {
  started.delete(running)
  await running.stop('SIGTERM', { timeoutMs: STOP_TIMEOUT_MS })
}

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }]
  readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }]
}

async function targetOf(kubeconfigPath: string): Promise<Target> {
  const { clusters, users } = parse(await readFile(kubeconfigPath, 'utf8')) as Kubeconfig
  const [{ cluster }] = clusters
  const [{ user }] = users
  const { hostname, port } = new URL(cluster.server ?? '')
  const decoded = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString()
  const tls = {
    ca: decoded(cluster['certificate-authority-data']),
    cert: decoded(user['client-certificate-data']),
    key: decoded(user['client-key-data']),
  }
  return { host: hostname, port: Number(port), tls }
}
