/**
 * Runs of clients and watchers while servers are killed: what they were told must be a history of one copy of the data,
 * and the watchers must be told every acknowledged change once, in order.
 */
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { callerOf } from '../support/linearizability/caller.ts'
import { findViolation } from '../support/linearizability/check.ts'
import { PATH, type Recording, startRecording } from '../support/linearizability/recorder.ts'
import { type Target, targetOf } from '../support/linearizability/target.ts'
import { checkTold, startWatcher, type Watcher } from '../support/linearizability/watcher.ts'
import { runInOwnNamespaces } from '../support/own-namespaces.ts'
import { type Product, startProduct } from '../support/product.ts'
import { until } from '../support/until.ts'

/** Something to go wrong, while everything goes on. */
export type Fault = (recording: Recording) => Promise<void>

export interface Run {
  readonly targets: readonly Target[]
  readonly clients: number
  /** At least so many, and until all faults are over. */
  readonly operations: number
  readonly seed: number
  readonly faults: readonly Fault[]
  readonly pauseMs?: number
}

const PROGRESS_TIMEOUT_MS = 30_000

/** Resolves once so many more writes were acknowledged. */
export function progress(recording: Recording, writes: number, what: string): Promise<unknown> {
  const enough = recording.acknowledged.length + writes
  return until(() => recording.acknowledged.length >= enough, { what, timeoutMs: PROGRESS_TIMEOUT_MS })
}

async function ask(target: Target, method: string, path: string, body?: object) {
  const caller = callerOf(target)
  const answer = await caller.call(method, path, body)
  caller.close()
  if (typeof answer === 'string' || answer.status >= 300)
    throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`)
  return JSON.parse(answer.text)
}

async function newest(target: Target): Promise<bigint> {
  return BigInt((await ask(target, 'GET', PATH)).metadata.resourceVersion)
}

/** A last change, which every watcher must come to: what came before it must have been told by then. */
async function finish(watchers: readonly Watcher[], target: Target): Promise<void> {
  const { metadata } = await ask(target, 'POST', PATH, { metadata: { name: `the-end-${await newest(target)}` } })
  const isTold = ({ told }: Watcher) => told.at(-1)?.key === metadata.name
  await until(() => watchers.every(isTold), { what: 'the last event at every watcher', timeoutMs: 20_000 })
  for (const watcher of watchers) await watcher.stop()
}

/** Throws when anybody was told what cannot be; returns what happened, in words. */
export async function runUnderFaults({ targets, faults, operations, ...load }: Run): Promise<string> {
  const [target] = targets as [Target]
  const after = await newest(target)
  const watchers = targets.map((_, first) => startWatcher(targets, after, first))
  const recording = startRecording({ targets, ...load })
  for (const fault of faults) await fault(recording)
  const enough = { what: `${operations} operations`, timeoutMs: 300_000 }
  await until(() => recording.count >= operations, enough).finally(() => recording.stop())
  await until(() => newest(target), { what: 'an answer at the end', timeoutMs: 20_000 })
  await finish(watchers, target)
  const violation = findViolation(recording.operations)
  assert.is(violation, undefined, JSON.stringify(violation, undefined, 1)?.slice(0, 4_000))
  for (const { told } of watchers) checkTold(told, recording)
  return summaryOf(recording, watchers)
}

function summaryOf({ operations, acknowledged }: Recording, watchers: readonly Watcher[]): string {
  const inDoubt = operations.filter(({ outcome }) => outcome === 'unknown').length
  const lost = operations.filter(
    ({ outcome }) => typeof outcome === 'object' && 'done' in outcome && !outcome.done,
  ).length
  const resumed = watchers.reduce((sum, watcher) => sum + watcher.resumed, 0)
  const writes = `${acknowledged.length} writes acknowledged, ${lost} lost their race, ${inDoubt} in doubt`
  return `${operations.length} operations: ${writes}; watches resumed ${resumed} times`
}

/** kill -9 of the one server on its embedded store and a start anew, `kills` times. */
export async function embeddedRun(operations: number, kills: number): Promise<string> {
  let server: Product = await startProduct(['server'])
  const { host } = new URL(server.endpoints.api ?? '')
  const kill: Fault = async (recording) => {
    await progress(recording, operations / kills / 8, 'writes between kills')
    await server.admin.close()
    await server.process.crash()
    server = await startProduct(['server', '--listen', host], { dataDir: server.dataDir })
  }
  const faults = Array.from({ length: kills }, () => kill)
  const targets = [targetOf(server.kubeconfig)]
  try {
    return await runUnderFaults({ targets, clients: 8, operations, seed: 1, faults })
  } finally {
    await server.stop()
  }
}

const ETCD_RUN = join(import.meta.dirname, 'linearizable-etcd.ts')

export interface EtcdRun {
  readonly operations: number
  readonly rounds: number
  readonly faults: readonly ('kill' | 'pause' | 'part' | 'isolate' | 'kill-server' | 'pause-server')[]
  readonly timeoutMs: number
}

/** Two servers over three etcd members. Returns what it printed, and the gaps after each kill of the leader. */
export async function etcdRun({ operations, rounds, faults, timeoutMs }: EtcdRun) {
  const args = [String(operations), String(rounds), ...faults]
  const { code, stdout, stderr } = await runInOwnNamespaces(ETCD_RUN, args, timeoutMs)
  assert.is(code, 0, stderr)
  const gapsMs = /etcd leader killed: ([\d ]+) ms/.exec(stdout)?.[1]?.split(' ').map(Number) ?? []
  return { text: stdout.trim(), gapsMs }
}
