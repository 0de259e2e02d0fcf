/** Keeps an eye on the members: where they answer, whether one is full, whether a majority is there. */

import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { type Alarm, type EtcdCluster, etcdCluster, type Member } from '../store/etcd/cluster.ts'
import type { EtcdTls } from '../store/etcd/endpoint.ts'
import { fullText } from './administration.ts'

export interface MembersWatchDeps {
  /** Asked first, and put first: the member on this machine. */
  readonly ownUrl: string
  readonly urls: readonly string[]
  readonly tls: EtcdTls
  readonly onUrls: (urls: readonly string[]) => Promise<void>
  readonly log: Logger
}

export interface MembersWatch {
  readonly urls: readonly string[]
  /** What is wrong with etcd, in words that say what to do. */
  readonly problem: string | undefined
  /** Settles when `signal` has aborted. */
  run(signal: AbortSignal): Promise<void>
}

const EVERY_MS = 3_000

export function membersWatch(deps: MembersWatchDeps): MembersWatch {
  let { urls } = deps
  let problem: string | undefined
  async function round(cluster: EtcdCluster, signal: AbortSignal): Promise<void> {
    const members = await cluster.members(signal)
    const alarms = await cluster.alarms(signal)
    problem = problemOf(members, alarms)
    const now = answering(members, deps.ownUrl)
    if (now.length === 0 || isDeepStrictEqual(now, urls)) return
    deps.log.info({ before: urls, now }, "etcd's members have changed")
    urls = now
    await deps.onUrls(now)
  }
  return {
    get urls() {
      return urls
    },
    get problem() {
      return problem
    },
    async run(signal) {
      let cluster = etcdCluster(urls, deps.tls)
      while (!signal.aborted) {
        const asked = urls
        await round(cluster, signal).catch((error: unknown) => {
          if (!signal.aborted) problem = error instanceof Error ? error.message : String(error)
        })
        if (asked !== urls) {
          cluster.close()
          cluster = etcdCluster(urls, deps.tls)
        }
        await delay(EVERY_MS, undefined, { signal }).catch(() => undefined)
      }
      cluster.close()
    },
  }
}

/** Addresses of the members that vote, ours first: a learner answers nothing, and a near one is asked before a far one. */
export function answering(members: readonly Pick<Member, 'clientURLs' | 'isLearner'>[], ownUrl: string): string[] {
  const urls = members.filter(({ isLearner }) => !isLearner).flatMap(({ clientURLs }) => clientURLs)
  return urls.toSorted((one, other) => Number(other === ownUrl) - Number(one === ownUrl) || (one < other ? -1 : 1))
}

function problemOf(members: readonly Member[], alarms: readonly Alarm[]): string | undefined {
  const namesOf = (what: Alarm['what']) =>
    alarms
      .filter((alarm) => alarm.what === what)
      .map(({ memberId }) => members.find(({ ID }) => ID === memberId)?.name ?? memberId)
  const [full, corrupt] = [namesOf('NOSPACE'), namesOf('CORRUPT')]
  if (corrupt.length > 0)
    return `the data of ${corrupt.join(', ')} differs from the others': remove that member and join it again`
  return full.length > 0 ? fullText(full) : undefined
}
