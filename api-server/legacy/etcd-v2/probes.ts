/** What tells that the door is alive and what it has done: /version, /health, /metrics and /v2/stats. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Member } from './member.ts'
import type { Replica } from './replica.ts'
import { allow, send } from './reply.ts'
import type { Counters } from './stats.ts'

export interface ProbeDeps {
  readonly member: Member
  readonly clusterId: string
  readonly replica: Replica
  readonly counters: Counters
  readonly startedMs: number
  /** Rejects when the store does not answer in time. */
  readonly ask: () => Promise<void>
}

type Serve = (deps: ProbeDeps, response: ServerResponse) => void

/** The etcd whose answers these are. */
const VERSION = JSON.stringify({ etcdserver: '3.4.23', etcdcluster: '3.4.0' })

const json = ({ clusterId }: ProbeDeps) => ['X-Etcd-Cluster-Id', clusterId, 'Content-Type', 'application/json']

const PROBES: Readonly<Record<string, Serve>> = {
  '/version': (_deps, response) => send(response, 200, ['Content-Type', 'application/json'], VERSION),
  '/health': serveHealth,
  '/metrics': (deps, response) =>
    send(response, 200, ['Content-Type', 'text/plain; version=0.0.4; charset=utf-8'], metrics(deps)),
  '/v2/stats/self': (deps, response) => send(response, 200, json(deps), JSON.stringify(self(deps))),
  '/v2/stats/leader': (deps, response) =>
    send(response, 200, json(deps), JSON.stringify({ leader: deps.member.id, followers: {} })),
  '/v2/stats/store': (deps, response) => {
    const counters = Object.fromEntries(deps.counters.all())
    send(response, 200, json(deps), JSON.stringify({ ...counters, watchers: deps.replica.hub.count }))
  },
}

/** False when the path is none of these. */
export function serveProbe(deps: ProbeDeps, request: IncomingMessage, response: ServerResponse, path: string): boolean {
  const serve = Object.hasOwn(PROBES, path) ? PROBES[path] : undefined
  if (serve === undefined) return false
  if (allow(request, response, ['GET'])) serve(deps, response)
  return true
}

function serveHealth({ ask }: ProbeDeps, response: ServerResponse): void {
  const answer = (status: number, health: string) =>
    send(response, status, ['Content-Type', 'text/plain; charset=utf-8'], `{"health":"${health}"}`)
  ask().then(
    () => answer(200, 'true'),
    () => answer(503, 'false'),
  )
}

function self({ member, startedMs }: ProbeDeps) {
  const startTime = new Date(startedMs).toISOString()
  return {
    name: member.name,
    id: member.id,
    state: 'StateLeader',
    startTime,
    leaderInfo: { leader: member.id, uptime: goDuration(Date.now() - startedMs), startTime },
    recvAppendRequestCnt: 0,
    sendAppendRequestCnt: 0,
  }
}

/** `3m29.01s`, as Go writes durations. */
function goDuration(ms: number): string {
  const hours = Math.floor(ms / 3_600_000)
  const minutes = Math.floor(ms / 60_000) % 60
  const seconds = `${(ms % 60_000) / 1000}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}

const METRIC_OF: Readonly<Record<string, string>> = {
  gets: 'get',
  sets: 'set',
  delete: 'delete',
  update: 'update',
  create: 'create',
  compareAndSwap: 'compareAndSwap',
  compareAndDelete: 'compareAndDelete',
}

/** The names of etcd's v2 store, as its dashboards ask for them. */
function metrics({ counters, replica }: ProbeDeps): string {
  const reads: string[] = []
  const writes: string[] = []
  const failedReads: string[] = []
  const failedWrites: string[] = []
  let expired = 0
  for (const [name, value] of counters.all()) {
    if (name === 'expireCount') {
      expired = value
      continue
    }
    const action = METRIC_OF[name.replace(/(?:Success|Fail)$/, '')] ?? name
    const isRead = action === 'get'
    const failed = name.endsWith('Fail')
    const lines = failed ? (isRead ? failedReads : failedWrites) : isRead ? reads : writes
    lines.push(`{action="${action}"} ${value}`)
  }
  return [
    ...family('etcd_debugging_store_reads_total', 'counter', 'Reads of keys answered.', reads),
    ...family('etcd_debugging_store_reads_failed_total', 'counter', 'Reads of keys that are not there.', failedReads),
    ...family('etcd_debugging_store_writes_total', 'counter', 'Writes committed.', writes),
    ...family('etcd_debugging_store_writes_failed_total', 'counter', 'Writes refused.', failedWrites),
    ...family('etcd_debugging_store_expires_total', 'counter', 'Keys that came to their end.', [` ${expired}`]),
    ...family('etcd_debugging_store_watchers', 'gauge', 'Open watches.', [` ${replica.hub.count}`]),
    ...family('etcd_server_has_leader', 'gauge', 'Whether writes can be taken.', [' 1']),
  ].join('')
}

function family(name: string, type: string, help: string, samples: readonly string[]): string[] {
  return [`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`, ...samples.map((sample) => `${name}${sample}\n`)]
}
