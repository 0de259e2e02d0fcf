/**
 * What is placed before what: those that others name in MachineOf first, and those that name each other as one. Tarjan's
 * strongly connected components, without recursion: a chain of followers may be long.
 */
import type { Ask } from './ask.ts'

interface Visit {
  readonly ask: Ask
  readonly peers: readonly Ask[]
  readonly index: number
  low: number
  next: number
  open: boolean
}

/** `pending` in their order; in each group at least one of them is pending, and `knownAs` also finds what is placed. */
export function inOrder(pending: readonly Ask[], knownAs: (name: string) => readonly Ask[]): (readonly Ask[])[] {
  // Most often nobody names anybody, and there may be thousands.
  if (pending.every(({ peers }) => peers.length === 0)) return pending.map((ask) => [ask])
  const visits = new Map<string, Visit>()
  const groups: Ask[][] = []
  const open: Visit[] = []
  const begin = (ask: Ask): Visit => {
    const visit = { ask, peers: ask.peers.flatMap(knownAs), index: visits.size, low: visits.size, next: 0, open: true }
    visits.set(ask.name, visit)
    open.push(visit)
    return visit
  }
  for (const ask of pending) {
    if (visits.has(ask.name)) continue
    const trail = [begin(ask)]
    for (let top = trail.at(-1); top; top = trail.at(-1)) {
      const peer = top.peers[top.next++]
      if (peer === undefined) close(trail, open, groups)
      else visitPeer(top, visits.get(peer.name), () => trail.push(begin(peer)))
    }
  }
  const isPending = new Set(pending)
  return groups.filter((group) => group.some((ask) => isPending.has(ask)))
}

function visitPeer(from: Visit, peer: Visit | undefined, begin: () => void): void {
  if (!peer) begin()
  else if (peer.open) from.low = Math.min(from.low, peer.index)
}

function close(trail: Visit[], open: Visit[], groups: Ask[][]): void {
  const visit = trail.pop()
  const parent = trail.at(-1)
  if (!visit) return
  if (parent) parent.low = Math.min(parent.low, visit.low)
  if (visit.low !== visit.index) return
  const group = open.splice(open.lastIndexOf(visit))
  for (const each of group) each.open = false
  groups.push(group.map(({ ask }) => ask).toSorted((a, b) => (a.name < b.name ? -1 : 1)))
}
