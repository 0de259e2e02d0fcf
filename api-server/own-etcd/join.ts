/**
 * Becoming a member: look at the list, take one step, look again. Nothing is remembered between two steps but what is on
 * disk and in the list, so a server that is killed anywhere goes on from there.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { type EtcdCluster, etcdCluster, type Member } from '../store/etcd/cluster.ts'
import type { EtcdTls } from '../store/etcd/endpoint.ts'
import type { EtcdChild } from './child.ts'
import type { Bootstrap } from './command-line.ts'
import type { DataFolder } from './data-folder.ts'
import type { MemberFile } from './member-file.ts'
import { nextStep, type Step } from './next-step.ts'

export interface JoinDeps {
  readonly member: MemberFile
  /** Where the other members answer. */
  readonly endpoints: readonly string[]
  readonly tls: EtcdTls
  readonly data: DataFolder
  readonly start: (bootstrap: Bootstrap) => Promise<EtcdChild>
  readonly log: Logger
}

const PAUSE_MS = 200
const STATE_TIMEOUT_MS = 1_500

/**
 * Resolves with our etcd once it votes. What others can mend (a member that is away, another server that joins at the
 * moment) is waited for, and told in the log. Rejects with the signal's reason, etcd stopped, or a sentence where only
 * a person can help.
 */
export async function joinCluster(deps: JoinDeps, signal: AbortSignal): Promise<EtcdChild> {
  const cluster = etcdCluster(deps.endpoints, deps.tls)
  let child: EtcdChild | undefined
  try {
    for (const told = toldOnce(deps.log); ; ) {
      signal.throwIfAborted()
      if (child?.gaveUp !== undefined) child = await stopped(child)
      try {
        const step = await look(deps, cluster, child, signal)
        told(step.do, step.reason)
        if (step.do === 'done' && child !== undefined) return child
        child = (await take(step, deps, cluster, signal)) ?? child
        if (step.do !== 'promote') continue
      } catch (error) {
        if (error instanceof NeedsPersonError) throw error
        told('wait', error instanceof Error ? error.message : String(error))
      }
      await delay(PAUSE_MS, undefined, { signal })
    }
  } catch (error) {
    await child?.stop()
    throw error
  } finally {
    cluster.close()
  }
}

class NeedsPersonError extends Error {}

async function stopped(child: EtcdChild): Promise<undefined> {
  await child.stop()
}

async function look(
  { member, data }: JoinDeps,
  cluster: EtcdCluster,
  child: EtcdChild | undefined,
  signal: AbortSignal,
): Promise<Step> {
  const members = (await cluster.members(signal)).map(({ ID, name, peerURLs, isLearner }) => ({
    id: ID,
    name,
    peerUrls: peerURLs,
    isLearner,
  }))
  return nextStep({ members, peerUrl: member.peerUrl, hasData: await data.hasData(), runs: child !== undefined })
}

async function take(
  step: Step,
  deps: JoinDeps,
  cluster: EtcdCluster,
  signal: AbortSignal,
): Promise<EtcdChild | undefined> {
  if (step.do === 'add') {
    await deps.data.wipe()
    await cluster.addLearner(deps.member.peerUrl, signal)
  }
  if (step.do === 'remove') {
    await refuseLiving(step, cluster, signal)
    await cluster.remove(step.id, signal)
  }
  if (step.do === 'start') return deps.start(bootstrapOf(await cluster.members(signal), deps.member))
  if (step.do === 'promote') await cluster.promote(step.id, signal)
  return undefined
}

/** Somebody who answers under our address has not lost anything: two servers were given the same one. */
async function refuseLiving(
  { id }: Extract<Step, { do: 'remove' }>,
  cluster: EtcdCluster,
  signal: AbortSignal,
): Promise<void> {
  const own = (await cluster.members(signal)).find(({ ID }) => ID === id)
  const [url] = own?.clientURLs ?? []
  if (own === undefined || url === undefined) return
  const lives = await cluster.state(url, STATE_TIMEOUT_MS, signal).then(
    () => true,
    () => false,
  )
  if (lives)
    throw new NeedsPersonError(
      `the member ${own.name} answers at ${url}: give this server other addresses (--advertise-host, --etcd-listen-client, --etcd-listen-peer)`,
    )
}

/** etcd compares the addresses with those it finds, and takes its own name from among them. */
function bootstrapOf(members: readonly Member[], { name, peerUrl }: MemberFile): Bootstrap {
  const peers = members.flatMap((member) =>
    member.peerURLs.map((url) => ({ name: url === peerUrl ? name : member.name || `member-${member.ID}`, url })),
  )
  return { state: 'existing', peers }
}

/** A wait that goes on is one line, not one every 200 ms. */
function toldOnce(log: Logger): (what: string, reason: string) => void {
  const told = new Set<string>()
  return (what, reason) => {
    if (told.has(reason)) return
    told.add(reason)
    if (what === 'wait') log.warn({ reason }, 'joining etcd waits')
    else log.info({ step: what, reason }, 'joining etcd')
  }
}
