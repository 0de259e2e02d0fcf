/** What differs between two answers, beyond what cannot be equal: raft's numbers, ids, dates, and the clock's share. */

import type { Both } from './pair.ts'
import type { RawAnswer } from './raw-client.ts'

/** Compared by value; of the others only that they are there. */
const COMPARED = ['content-type', 'x-etcd-index', 'allow', 'location', 'x-content-type-options']
const PRESENT = ['x-etcd-cluster-id', 'x-raft-index', 'x-raft-term']
/** Both were asked within this time, and each second's rounding may fall on the other side. */
const CLOCK_TOLERANCE_MS = 2_000

/** A sentence, or undefined when the answers are the same. `sorted`: listings come in an order that means something. */
export function difference({ ours, theirs }: Both<RawAnswer>, sorted = true): string | undefined {
  if (ours.status !== theirs.status) return `status ${ours.status} ≠ ${theirs.status}: ${ours.body} ≠ ${theirs.body}`
  for (const name of COMPARED) {
    const [mine, other] = [ours.headers.get(name), theirs.headers.get(name)]
    if (mine !== other) return `${name}: ${mine} ≠ ${other}`
  }
  for (const name of PRESENT)
    if (ours.headers.has(name) !== theirs.headers.has(name)) return `${name}: only one of them sends it`
  return bodyDifference(ours.body, theirs.body, sorted)
}

export function bodyDifference(ours: string, theirs: string, sorted = true): string | undefined {
  const [mine, other] = sorted ? [ours, theirs] : [inOrder(ours), inOrder(theirs)]
  if (mine === other) return undefined
  if (withoutTimes(mine) !== withoutTimes(other)) return `${ours} ≠ ${theirs}`
  const [myTimes, otherTimes] = [timesOf(mine), timesOf(other)]
  const isNear = (at: number, i: number) => Math.abs(at - (otherTimes[i] ?? Number.NaN)) <= CLOCK_TOLERANCE_MS
  return myTimes.length === otherTimes.length && myTimes.every(isNear) ? undefined : `times: ${ours} ≠ ${theirs}`
}

const EXPIRATION = /"expiration":"([^"]*)"(,"ttl":-?\d+)?/g

function withoutTimes(body: string): string {
  return body.replace(EXPIRATION, '"expiration":""')
}

/** Expirations, and seconds left as milliseconds. */
function timesOf(body: string): number[] {
  return [...body.matchAll(EXPIRATION)].flatMap(([, at = '', ttl = ',"ttl":0']) => [
    Date.parse(at),
    Number(ttl.slice(ttl.lastIndexOf(':') + 1)) * 1000,
  ])
}

interface Listed {
  key?: string
  nodes?: Listed[]
}

function inOrder(body: string): string {
  if (!body.includes('"nodes"')) return body
  const answer = JSON.parse(body) as { node: Listed }
  sort(answer.node)
  return JSON.stringify(answer)
}

function sort({ nodes }: Listed): void {
  nodes?.sort((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1))
  for (const node of nodes ?? []) sort(node)
}
