/** `flotilla cluster …`: the etcd behind the servers, asked of whichever server the kubeconfig names. */
import type { Condition, MemberReport } from '../../api-server/own-etcd/administration.ts'
import { CONTROL_PLANE } from './control-plane.ts'
import { printable } from './paint.ts'
import type { Session } from './session.ts'
import { tablePrinter } from './table.ts'

export interface ClusterOptions {
  readonly output?: string
}

interface Cluster {
  readonly members: readonly MemberReport[]
  readonly conditions: readonly Condition[]
}

interface Defragmented {
  readonly members: readonly { readonly name: string; readonly bytesBefore: number; readonly bytesAfter: number }[]
}

/** A member's file may be gigabytes, and is written anew. */
const DEFRAG_TIMEOUT_MS = 900_000
const COLUMNS = ['name', 'id', 'role', 'status', 'version', 'size', 'in use', 'address'].map((name) => ({ name }))

async function ask(session: Session, method: 'GET' | 'POST' | 'DELETE', path: string, timeoutMs?: number) {
  const { api, signal } = session
  const options = { signal, ...(timeoutMs !== undefined && { timeoutMs }) }
  return (await api.request(method, `${CONTROL_PLANE}/${path}`, options)).value
}

export async function members(session: Session, { output }: ClusterOptions): Promise<number> {
  requireKnown(output)
  const cluster = (await ask(session, 'GET', 'members')) as Cluster
  const { members: listed } = cluster
  if (output === 'json') await session.out.line(JSON.stringify(listed, null, 2))
  else await session.out.write(tableOf(listed, session.out.paint))
  return 0
}

/** Ends with 1 where something is wrong, so that scripts can ask. */
export async function clusterStatus(session: Session, { output }: ClusterOptions): Promise<number> {
  requireKnown(output)
  const { out } = session
  const cluster = (await ask(session, 'GET', 'members')) as Cluster
  if (output === 'json') await out.line(JSON.stringify(cluster, null, 2))
  else {
    for (const { type, status, message } of cluster.conditions) {
      const tone = status === 'True' ? 'good' : 'bad'
      await out.line(`${type.padEnd(14)} ${out.paint(tone, status.padEnd(5))}  ${printable(message)}`)
    }
    await out.write(`\n${tableOf(cluster.members, out.paint)}`)
    for (const { name, problem } of cluster.members) if (problem) await out.line(`\n${name}: ${printable(problem)}`)
  }
  return cluster.conditions.some(({ type, status }) => type !== 'FaultTolerant' && status === 'False') ? 1 : 0
}

export async function remove(session: Session, member: string): Promise<number> {
  const { removed } = (await ask(session, 'DELETE', `members/${encodeURIComponent(member)}`)) as { removed: string }
  await session.out.line(`${removed} removed from the cluster`)
  return 0
}

export async function defrag(session: Session): Promise<number> {
  const { members: done } = (await ask(session, 'POST', 'defrag', DEFRAG_TIMEOUT_MS)) as Defragmented
  for (const { name, bytesBefore, bytesAfter } of done)
    await session.out.line(`${name}: ${sizeOf(bytesBefore)} before, ${sizeOf(bytesAfter)} now`)
  return 0
}

export async function disarm(session: Session): Promise<number> {
  const { disarmed } = (await ask(session, 'POST', 'disarm')) as { disarmed: number }
  await session.out.line(disarmed === 0 ? 'no alarm was on' : 'writes are taken again, until a member is full again')
  return 0
}

function requireKnown(output: string | undefined): void {
  if (output !== undefined && output !== 'json') throw new Error(`-o ${output} is unknown; there is json`)
}

function tableOf(listed: readonly MemberReport[], paint: Session['out']['paint']): string {
  const rows = listed.map((member) => ({
    cells: [
      member.name || '<unstarted>',
      member.id,
      member.role,
      statusOf(member),
      member.version ?? '',
      member.dbBytes === undefined ? '' : sizeOf(member.dbBytes),
      member.dbBytesInUse === undefined ? '' : sizeOf(member.dbBytesInUse),
      [...member.clientUrls, ...member.peerUrls][0] ?? '',
    ],
  }))
  return tablePrinter(COLUMNS, { paint }).print(rows)
}

function statusOf({ answers, alarms }: MemberReport): string {
  if (!answers) return 'Away'
  return alarms.length === 0 ? 'Ready' : alarms.join(',')
}

export function sizeOf(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2
  return mebibytes < 1024 ? `${mebibytes.toFixed(1)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`
}
