/**
 * Machines by rank, then by load, then by how many units they have, then by name: the first is found without looking at
 * all of them. Loads grow behind its back, so an entry's are only lower bounds; they are put right when it comes to the
 * top. Where a load shrinks, `renew` has to be called.
 */
import type { Host } from './rules/rule.ts'

export interface LoadHeap {
  /** The first that is accepted; undefined: none is. */
  best(accepts: (host: Host) => boolean, soft?: Soft): Host | undefined | typeof TOO_MANY
  /** It came, or changed in whatever way. */
  renew(host: Host): void
  drop(host: Host): void
}

/** What decides before the load, among machines of one rank. */
export interface Soft {
  readonly cost: (host: Host) => number
  /** No machine costs less. */
  readonly least: number
}

/** So many were looked at that looking at each of them once is cheaper. */
export const TOO_MANY = Symbol('too many were refused')
const MOST_TAKEN_OUT = 256

interface Entry {
  readonly host: Host
  readonly rank: number
  load: number
  count: number
  at: number
}

export interface LoadHeapOptions {
  readonly hosts: readonly Host[]
  /** Never changes. */
  readonly rankOf: (host: Host) => number
  /** Changes only together with the number of units, unless `renew` is called. */
  readonly loadOf: (host: Host) => number
}

export function createLoadHeap({ hosts, rankOf, loadOf }: LoadHeapOptions): LoadHeap {
  const entryOf = (host: Host): Entry => ({ host, rank: rankOf(host), load: loadOf(host), count: host.count, at: -1 })
  const entries = hosts.map(entryOf).sort((a, b) => (isBefore(a, b) ? -1 : 1))
  for (const [at, entry] of entries.entries()) entry.at = at
  const known = new Map(entries.map((entry) => [entry.host, entry]))
  /** The first whose count is right; it stays where it is. */
  const first = (): Entry | undefined => {
    for (let top = entries[0]; top; top = entries[0]) {
      if (top.count === top.host.count) return top
      top.count = top.host.count
      top.load = loadOf(top.host)
      sink(entries, top, 0)
    }
    return undefined
  }
  const drop = (host: Host): void => {
    const entry = known.get(host)
    if (!entry) return
    known.delete(host)
    removeAt(entries, entry.at)
  }
  return {
    best: (accepts, soft) => {
      const out: Entry[] = []
      const found = search(entries, first, out, accepts, soft)
      for (const entry of out) rise(entries, entry, entries.length)
      return found
    },
    renew: (host) => {
      drop(host)
      const entry = entryOf(host)
      known.set(host, entry)
      rise(entries, entry, entries.length)
    },
    drop,
  }
}

/** What is taken out on the way is for the caller to put back. */
function search(
  entries: Entry[],
  first: () => Entry | undefined,
  out: Entry[],
  accepts: (host: Host) => boolean,
  soft: Soft | undefined,
): Host | undefined | typeof TOO_MANY {
  let found: Entry | undefined
  let least = Number.POSITIVE_INFINITY
  for (let top = first(); top; top = first()) {
    if (found && top.rank !== found.rank) break
    const cost = soft?.cost(top.host) ?? 0
    if (cost < least && accepts(top.host)) {
      found = top
      least = cost
      if (soft === undefined || cost <= soft.least) break
    }
    if (out.length === MOST_TAKEN_OUT) return TOO_MANY
    out.push(top)
    removeAt(entries, 0)
  }
  return found?.host
}

function isBefore(a: Entry, b: Entry): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank
  if (a.load !== b.load) return a.load < b.load
  return a.count === b.count ? a.host.index < b.host.index : a.count < b.count
}

/** Puts it at the place, or as far below as it belongs. */
function sink(entries: Entry[], entry: Entry, from: number): void {
  let at = from
  for (;;) {
    const [left, right] = [entries[2 * at + 1], entries[2 * at + 2]]
    const isRight = left !== undefined && right !== undefined && isBefore(right, left)
    const child = isRight ? right : left
    if (child === undefined || !isBefore(child, entry)) break
    put(entries, child, at)
    at = 2 * at + (isRight ? 2 : 1)
  }
  put(entries, entry, at)
}

/** Puts it at the place, or as far above as it belongs. */
function rise(entries: Entry[], entry: Entry, from: number): void {
  let at = from
  while (at > 0) {
    const above = (at - 1) >> 1
    const parent = entries[above]
    if (parent === undefined || !isBefore(entry, parent)) break
    put(entries, parent, at)
    at = above
  }
  put(entries, entry, at)
}

function put(entries: Entry[], entry: Entry, at: number): void {
  entries[at] = entry
  entry.at = at
}

function removeAt(entries: Entry[], at: number): void {
  const last = entries.pop()
  if (!last || at === entries.length) return
  sink(entries, last, at)
  if (last.at === at) rise(entries, last, at)
}
