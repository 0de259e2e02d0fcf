/** Units that name each other in MachineOf are placed on one machine, all of them or none. */
import type { Ask } from './ask.ts'
import { checksOf, costsFor, notToReturn, refusal } from './choose.ts'
import type { Host, Refusal } from './rules/rule.ts'
import type { MutableWorld } from './world.ts'

/** Where those that are placed already were taken from: they may go back to where they would not be let in anew. */
export type From = ReadonlyMap<string, Host>

/** Places them and tells where. Machines that some of them come from are tried first, so that as few as can be move. */
export function placeTogether(group: readonly Ask[], from: From, world: MutableWorld): Host | undefined {
  const host = candidates(group, from, world).find((each) => !tried(group, each, from, world))
  if (host) placeAll(group, host, world)
  return host
}

/** Why they cannot all be there, what refuses `ask` itself first; undefined when they can. */
export function refusedTogether(
  ask: Ask,
  group: readonly Ask[],
  host: Host,
  from: From,
  world: MutableWorld,
): Refusal | undefined {
  const found = tried([ask, ...group.filter((each) => each !== ask)], host, from, world)
  if (!found || found.ask === ask) return found?.refusal
  return { ...found.refusal, reason: `${found.ask.alias}, which must be there too: ${found.refusal.reason}` }
}

interface Found {
  readonly ask: Ask
  readonly refusal: Refusal
}

function tried(group: readonly Ask[], host: Host, from: From, world: MutableWorld): Found | undefined {
  return world.trial(() => {
    placeAll(group, host, world)
    const found = refusalAmong(group, host, from, world)
    removeAll(group, world)
    return found
  })
}

function refusalAmong(group: readonly Ask[], host: Host, from: From, world: MutableWorld): Found | undefined {
  for (const ask of group) {
    // Judged as the last to come, with all the others there.
    world.remove(ask)
    const stays = from.get(ask.name) === host
    const found = stays ? notToReturn(ask, world, host) : refusal(checksOf(ask, world), host)
    world.place(ask, host)
    if (found) return { ask, refusal: found }
  }
  return undefined
}

function candidates(group: readonly Ask[], from: From, world: MutableWorld): Host[] {
  const comingFrom = new Set(group.flatMap(({ name }) => from.get(name) ?? []))
  const costs = group.map((ask) => costsFor(ask, world))
  // By itself a machine must take all that do not come from there.
  const mayTake = (host: Host) => group.every((ask) => from.get(ask.name) === host || world.eligible(ask).has(host))
  const rows = world.hosts
    .filter(mayTake)
    .map((host) => ({ host, row: sums(costs, host), isHome: comingFrom.has(host) ? 0 : 1 }))
  return rows
    .toSorted((a, b) => a.isHome - b.isHome || compare(a.row, b.row) || a.host.index - b.host.index)
    .map(({ host }) => host)
}

/** Costs of the same place are summed, counted from the last one, which all asks have. */
function sums(costs: readonly (readonly ((host: Host) => number)[])[], host: Host): number[] {
  const length = Math.max(...costs.map((each) => each.length))
  return Array.from({ length }, (_, at) =>
    costs.reduce((sum, each) => sum + (each[each.length - length + at]?.(host) ?? 0), 0),
  )
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [at, value] of a.entries()) {
    const difference = value - (b[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function placeAll(group: readonly Ask[], host: Host, world: MutableWorld): void {
  for (const ask of group) world.place(ask, host)
}

function removeAll(group: readonly Ask[], world: MutableWorld): void {
  for (const ask of group) world.remove(ask)
}
