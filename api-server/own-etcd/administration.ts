/** What operators ask of the etcd behind the servers, through any of them. */
import { StatusError } from '../registry/errors.ts'
import { type Alarm, type EtcdCluster, etcdCluster, type Member, type MemberState } from '../store/etcd/cluster.ts'
import type { EtcdTls } from '../store/etcd/endpoint.ts'
import { removalRefusal } from './removal.ts'

export interface AdministrationDeps {
  /** Where members answer, as last known. */
  readonly urls: () => readonly string[]
  readonly tls: EtcdTls
}

/** One line of `flotilla cluster members`. */
export interface MemberReport {
  /** Hexadecimal, as etcd's own tools show it. */
  readonly id: string
  readonly name: string
  readonly role: 'leader' | 'member' | 'learner' | 'not started'
  readonly answers: boolean
  readonly version?: string
  readonly dbBytes?: number
  readonly dbBytesInUse?: number
  readonly clientUrls: readonly string[]
  readonly peerUrls: readonly string[]
  readonly alarms: readonly Alarm['what'][]
  /** Why it does not answer. */
  readonly problem?: string
}

export interface Condition {
  readonly type: 'Available' | 'FaultTolerant' | 'SpaceLeft'
  readonly status: 'True' | 'False'
  readonly message: string
}

const STATE_TIMEOUT_MS = 1_500
const DEFRAGMENT_TIMEOUT_MS = 300_000

interface Looked {
  readonly member: Member
  readonly state: MemberState | undefined
  readonly problem: string | undefined
}

export function administration(deps: AdministrationDeps) {
  const use = <T>(work: (cluster: EtcdCluster) => Promise<T>) => withCluster(deps, work)
  return {
    members: () => use(report),
    remove: (name: string) => use((cluster) => remove(cluster, name)),
    defragment: () => use(defragment),
    disarm: () => use(disarm),
  }
}

async function withCluster<T>(
  { urls, tls }: AdministrationDeps,
  work: (cluster: EtcdCluster) => Promise<T>,
): Promise<T> {
  const cluster = etcdCluster(urls(), tls)
  try {
    return await work(cluster)
  } catch (error) {
    if (error instanceof StatusError) throw error
    throw new StatusError(503, 'ServiceUnavailable', error instanceof Error ? error.message : String(error), {})
  } finally {
    cluster.close()
  }
}

async function report(cluster: EtcdCluster) {
  const [looked, alarms] = await Promise.all([lookAtAll(cluster), cluster.alarms().catch((): Alarm[] => [])])
  const members = looked.map((each) => reportOf(each, alarms))
  return { members, conditions: conditionsOf(members) }
}

async function lookAtAll(cluster: EtcdCluster): Promise<Looked[]> {
  const members = await cluster.members()
  return Promise.all(members.map((member) => look(cluster, member)))
}

async function look(cluster: EtcdCluster, member: Member): Promise<Looked> {
  const [url] = member.clientURLs
  if (url === undefined) return { member, state: undefined, problem: 'its etcd has not started yet' }
  try {
    return { member, state: await cluster.state(url, STATE_TIMEOUT_MS), problem: undefined }
  } catch (error) {
    return { member, state: undefined, problem: (error as Error).message }
  }
}

export const shownId = (id: string): string => BigInt(id).toString(16)

function reportOf({ member, state, problem }: Looked, alarms: readonly Alarm[]): MemberReport {
  const { ID, name, clientURLs, peerURLs } = member
  const answers = state?.leader !== undefined
  return {
    id: shownId(ID),
    name,
    role: roleOf(member, state),
    answers,
    ...(state && { version: state.version, dbBytes: state.dbBytes, dbBytesInUse: state.dbBytesInUse }),
    clientUrls: clientURLs,
    peerUrls: peerURLs,
    alarms: alarms.filter(({ memberId }) => memberId === ID).map(({ what }) => what),
    ...(!answers && { problem: problem ?? 'it knows no leader' }),
  }
}

function roleOf({ ID, name, isLearner }: Member, state: MemberState | undefined): MemberReport['role'] {
  if (name === '') return 'not started'
  if (isLearner) return 'learner'
  return state?.leader === ID ? 'leader' : 'member'
}

/** What a person should know at a glance, as conditions are told elsewhere. */
export function conditionsOf(members: readonly MemberReport[]): Condition[] {
  const voters = members.filter(({ role }) => role === 'leader' || role === 'member')
  const silent = voters.filter(({ answers }) => !answers)
  const needed = Math.floor(voters.length / 2) + 1
  const spare = voters.length - silent.length - needed
  const full = members.filter(({ alarms }) => alarms.includes('NOSPACE')).map(({ name }) => name)
  const away = silent.length === 0 ? '' : `; away: ${silent.map(({ name }) => name).join(', ')}`
  const condition = (type: Condition['type'], holds: boolean, message: string): Condition => ({
    type,
    status: holds ? 'True' : 'False',
    message,
  })
  return [
    condition('Available', spare >= 0, `${voters.length - silent.length} of ${voters.length} members answer${away}`),
    condition('FaultTolerant', spare > 0, toleranceText(spare)),
    condition('SpaceLeft', full.length === 0, full.length === 0 ? 'no member is full' : fullText(full)),
  ]
}

function toleranceText(spare: number): string {
  if (spare > 0) return `${spare} more may be lost`
  return 'losing one stops every write: bring back who is away, or join more servers (three tolerate one loss)'
}

export function fullText(members: readonly string[]): string {
  return `${members.join(', ')} ran out of space, writes are refused: run "flotilla cluster defrag", or raise --etcd-quota-bytes on every server; then "flotilla cluster disarm"`
}

async function remove(cluster: EtcdCluster, name: string) {
  const looked = await lookAtAll(cluster)
  const judged = looked.map(({ member, state }) => ({
    id: member.ID,
    name: member.name || shownId(member.ID),
    isLearner: member.isLearner,
    answers: state?.leader !== undefined,
  }))
  const target = judged.find((each) => each.name === name || shownId(each.id) === name)
  const known = judged.map((each) => each.name).join(', ')
  if (target === undefined)
    throw new StatusError(404, 'NotFound', `there is no member ${name}; there are: ${known}`, {})
  const refusal = removalRefusal(judged, target)
  if (refusal !== undefined) throw new StatusError(409, 'Conflict', `${target.name} was not removed: ${refusal}`, {})
  await cluster.remove(target.id)
  return { removed: target.name, id: shownId(target.id) }
}

/** One at a time, because a member is silent meanwhile, and the leader last, so that it changes once at most. */
async function defragment(cluster: EtcdCluster) {
  const looked = (await lookAtAll(cluster)).toSorted((one, other) => leads(one) - leads(other))
  const away = looked.find(({ state, member }) => state === undefined && !member.isLearner)
  if (away !== undefined && looked.length > 1)
    throw new StatusError(
      409,
      'Conflict',
      `nothing was defragmented: ${away.member.name} does not answer, and another one silent could be one too many`,
      {},
    )
  const members = []
  for (const { member } of looked) {
    const [url = ''] = member.clientURLs
    const before = await cluster.state(url, STATE_TIMEOUT_MS)
    await cluster.defragment(url, DEFRAGMENT_TIMEOUT_MS)
    const after = await cluster.state(url, STATE_TIMEOUT_MS)
    members.push({ name: member.name, bytesBefore: before.dbBytes, bytesAfter: after.dbBytes })
  }
  return { members }
}

const leads = ({ member, state }: Looked): number => Number(state?.leader === member.ID)

async function disarm(cluster: EtcdCluster) {
  const alarms = await cluster.alarms()
  const corrupt = alarms.filter(({ what }) => what === 'CORRUPT')
  for (const alarm of alarms.filter(({ what }) => what === 'NOSPACE')) await cluster.disarm(alarm)
  if (corrupt.length > 0)
    throw new StatusError(
      409,
      'Conflict',
      `the data of ${corrupt.map(({ memberId }) => shownId(memberId)).join(', ')} differs from the others': remove that member and join it again`,
      {},
    )
  return { disarmed: alarms.length }
}
