/**
 * etcd's members as their operator sees them: who they are, how each does, adding, promoting, removing, and the care
 * that etcd wants from outside (defragmentation, alarms). Meanings are those of etcd's rpc.proto (Cluster, Maintenance).
 */
import { UnavailableError } from '../store.ts'
import { type EtcdTls, endpointAt } from './endpoint.ts'
import { Endpoints } from './endpoints.ts'
import type { Answer, Member, MemberAnswer, StatusAnswer } from './messages.ts'

export type { Member } from './messages.ts'

/** What one member says of itself. */
export interface MemberState {
  readonly version: string
  readonly dbBytes: number
  readonly dbBytesInUse: number
  /** Id of the leader that it knows, undefined where it knows none. */
  readonly leader: string | undefined
}

export interface Alarm {
  readonly memberId: string
  readonly what: 'NOSPACE' | 'CORRUPT'
}

/** Calls reject with `UnavailableError`, in etcd's words where etcd refused. */
export interface EtcdCluster {
  members(signal?: AbortSignal): Promise<readonly Member[]>
  /** As a learner: it counts for no majority until it is promoted. */
  addLearner(peerUrl: string, signal?: AbortSignal): Promise<void>
  promote(id: string, signal?: AbortSignal): Promise<void>
  remove(id: string, signal?: AbortSignal): Promise<void>
  alarms(signal?: AbortSignal): Promise<readonly Alarm[]>
  disarm(alarm: Alarm, signal?: AbortSignal): Promise<void>
  /** Of the member at `url` alone. */
  state(url: string, timeoutMs: number, signal?: AbortSignal): Promise<MemberState>
  /** The member at `url` answers nothing else meanwhile. */
  defragment(url: string, timeoutMs: number, signal?: AbortSignal): Promise<void>
  close(): void
}

/** An election is over by then. */
const TIMEOUTS = { attemptMs: 1_500, callMs: 4_000 }
const ALARMS = { NOSPACE: 1, CORRUPT: 2 } as const
const GET = 0
const DEACTIVATE = 2

interface AlarmAnswer extends Answer {
  readonly alarms: readonly { readonly memberID: string; readonly alarm: number }[]
}

/** Connects with the first call, to whichever of `urls` answers. */
export function etcdCluster(urls: readonly string[], tls: EtcdTls): EtcdCluster {
  const endpoints = new Endpoints({ urls, tls, timeouts: TIMEOUTS })
  const change = async (method: `Cluster.${string}`, request: object, signal?: AbortSignal): Promise<void> => {
    await endpoints.call(method, request, { repeatable: false, writes: true, signal })
  }
  return {
    members: (signal) => membersOf(endpoints, urls, tls, signal),
    addLearner: (peerUrl, signal) => change('Cluster.MemberAdd', { peerURLs: [peerUrl], isLearner: true }, signal),
    promote: (id, signal) => change('Cluster.MemberPromote', { ID: id }, signal),
    remove: (id, signal) => change('Cluster.MemberRemove', { ID: id }, signal),
    alarms: (signal) => alarmsOf(endpoints, signal),
    disarm: async ({ memberId, what }, signal) => {
      const request = { action: DEACTIVATE, memberID: memberId, alarm: ALARMS[what] }
      await endpoints.call('Maintenance.Alarm', request, { repeatable: true, signal })
    },
    state: (url, timeoutMs, signal) => stateOf(url, tls, timeoutMs, signal),
    defragment: async (url, timeoutMs, signal) => {
      await at(url, tls, (endpoint) => endpoint.call('Maintenance.Defragment', {}, { timeoutMs, signal }))
    },
    close: () => endpoints.close(),
  }
}

/** Without a majority, as one of them remembers it: who is away can then still be told. */
async function membersOf(
  endpoints: Endpoints,
  urls: readonly string[],
  tls: EtcdTls,
  signal: AbortSignal | undefined,
): Promise<readonly Member[]> {
  const list: 'Cluster.MemberList' = 'Cluster.MemberList'
  try {
    return (await endpoints.call<MemberAnswer>(list, {}, { repeatable: true, signal })).members
  } catch (error) {
    const limits = { timeoutMs: TIMEOUTS.attemptMs, signal, leaderless: true }
    const told = urls.map((url) => at(url, tls, (endpoint) => endpoint.call<MemberAnswer>(list, {}, limits)))
    const { members } = await Promise.any(told).catch(() => {
      throw error
    })
    return members
  }
}

async function alarmsOf(endpoints: Endpoints, signal: AbortSignal | undefined): Promise<Alarm[]> {
  const request = { action: GET, memberID: '0', alarm: 0 }
  const { alarms } = await endpoints.call<AlarmAnswer>('Maintenance.Alarm', request, { repeatable: true, signal })
  return alarms.flatMap(({ memberID: memberId, alarm }): Alarm[] => {
    if (alarm === ALARMS.NOSPACE) return [{ memberId, what: 'NOSPACE' }]
    return alarm === ALARMS.CORRUPT ? [{ memberId, what: 'CORRUPT' }] : []
  })
}

async function stateOf(url: string, tls: EtcdTls, timeoutMs: number, signal?: AbortSignal): Promise<MemberState> {
  const answer = await at(url, tls, (endpoint) =>
    endpoint.call<StatusAnswer>('Maintenance.Status', {}, { timeoutMs, signal, leaderless: true }),
  )
  const { version, dbSize, dbSizeInUse, leader } = answer
  return {
    version,
    dbBytes: Number(dbSize),
    dbBytesInUse: Number(dbSizeInUse),
    leader: leader === '0' ? undefined : leader,
  }
}

/** One call at one member, over a connection of its own. */
async function at<T>(
  url: string,
  tls: EtcdTls,
  use: (endpoint: ReturnType<typeof endpointAt>) => Promise<T>,
): Promise<T> {
  const endpoint = endpointAt(url, tls)
  try {
    return await use(endpoint)
  } catch (cause) {
    const { details } = cause as { details?: string }
    throw new UnavailableError(`${url} does not answer: ${details ?? String(cause)}`, { cause })
  } finally {
    endpoint.close()
  }
}
