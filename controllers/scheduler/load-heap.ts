/**
 * Machines by rank, then by load, then by how many units they have, then by name: the first is found without looking at
 * all of them. Loads grow behind its back, so an entry's are only lower bounds; they are put right when it comes to the top.
 */
import type { Host } from './rules/rule.ts'

export interface LoadHeap {
  /** The first that is accepted. */
  best(accepts: (host: Host) => boolean): Host | undefined
}

interface Entry {
  readonly host: Host
  readonly rank: number
  load: number
  count: number
}

export interface LoadHeapOptions {
  readonly hosts: readonly Host[]
  /** Never changes. */
  readonly rankOf: (host: Host) => number
  /** Never shrinks, and changes only together with the number of units. */
  readonly loadOf: (host: Host) => number
}

/** Valid as long as nothing is taken off any of the machines. */
export function createLoadHeap({ hosts, rankOf, loadOf }: LoadHeapOptions): LoadHeap {
  const entries: Entry[] = hosts
    .map((host) => ({ host, rank: rankOf(host), load: loadOf(host), count: host.count }))
    .sort((a, b) => (isBefore(a, b) ? -1 : 1))
  /** The first whose count is right; it stays where it is. */
  const first = (): Entry | undefined => {
    for (let top = entries[0]; top; top = entries[0]) {
      if (top.count === top.host.count) return top
      top.count = top.host.count
      top.load = loadOf(top.host)
      sink(entries, top)
    }
    return undefined
  }
  return {
    best: (accepts) => {
      const refused: Entry[] = []
      let found = first()
      while (found && !accepts(found.host)) {
        refused.push(found)
        removeFirst(entries)
        found = first()
      }
      for (const entry of refused) insert(entries, entry)
      return found?.host
    },
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank
  if (a.load !== b.load) return a.load < b.load
  return a.count === b.count ? a.host.index < b.host.index : a.count < b.count
}

/** Moves what is first to where it belongs. */
function sink(entries: Entry[], entry: Entry): void {
  let at = 0
  for (;;) {
    const [left, right] = [entries[2 * at + 1], entries[2 * at + 2]]
    const isRight = left !== undefined && right !== undefined && isBefore(right, left)
    const child = isRight ? right : left
    if (child === undefined || !isBefore(child, entry)) break
    entries[at] = child
    at = 2 * at + (isRight ? 2 : 1)
  }
  entries[at] = entry
}

function insert(entries: Entry[], entry: Entry): void {
  let at = entries.length
  while (at > 0) {
    const above = (at - 1) >> 1
    const parent = entries[above]
    if (parent === undefined || !isBefore(entry, parent)) break
    entries[at] = parent
    at = above
  }
  entries[at] = entry
}

function removeFirst(entries: Entry[]): void {
  const last = entries.pop()
  if (last && entries.length > 0) sink(entries, last)
}
