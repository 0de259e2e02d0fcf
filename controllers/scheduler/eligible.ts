/** What depends on machines alone is found once for all asks that are alike, however many there are. */
import type { Ask } from './ask.ts'
import { createLoadHeap, type LoadHeap } from './load-heap.ts'
import { PREFERENCES, RULES } from './rules/index.ts'
import { leastRequested } from './rules/resources.ts'
import type { Host } from './rules/rule.ts'
import type { MutableWorld } from './world.ts'

export interface Eligible {
  /** The machines that could take it as far as they alone are concerned, by name. */
  readonly hosts: readonly Host[]
  /** By preference, in their order: what each machine costs, by its index. */
  readonly costs: ReadonlyMap<string, Float64Array>
  /** The machines in the order of what is fixed and their load, for asks that nothing else decides about; kept by requests. */
  byLoad(ask: Ask): LoadHeap
  /** Values of a label on these machines. */
  domains(topologyKey: string): readonly string[]
}

const FIXED = RULES.filter(({ fixed }) => fixed)
const FIXED_PREFERENCES = PREFERENCES.filter(({ fixed }) => fixed)

/** `worldOf` is called only once the world is complete. */
export function createEligibility(worldOf: () => MutableWorld): (ask: Ask) => Eligible {
  const known = new Map<string, Eligible>()
  return (ask) => {
    const found = known.get(ask.signature) ?? findEligible(ask, worldOf())
    known.set(ask.signature, found)
    return found
  }
}

function findEligible(ask: Ask, world: MutableWorld): Eligible {
  const checks = FIXED.flatMap((rule) => rule.check(ask, world) ?? [])
  const hosts = world.hosts.filter((host) => !checks.some(({ refuses }) => refuses(host)))
  const domains = new Map<string, readonly string[]>()
  const costs = costsOf(ask, world)
  const rankOf = ranksOf(hosts, costs)
  const heaps = new Map<string, LoadHeap>()
  let removals = world.removals
  return {
    hosts,
    costs,
    byLoad: (other) => {
      // What was taken off somewhere made a load shrink, which a heap does not notice.
      if (removals !== world.removals) heaps.clear()
      removals = world.removals
      const key = [...other.requests].join()
      const loadOf = leastRequested.cost(other, world) ?? (() => 0)
      const heap = heaps.get(key) ?? createLoadHeap({ hosts, rankOf, loadOf })
      heaps.set(key, heap)
      return heap
    },
    domains: (topologyKey) => {
      const values = domains.get(topologyKey) ?? [...new Set(hosts.flatMap(({ labels }) => labels[topologyKey] ?? []))]
      domains.set(topologyKey, values)
      return values
    },
  }
}

function costsOf(ask: Ask, world: MutableWorld): ReadonlyMap<string, Float64Array> {
  const costs = new Map<string, Float64Array>()
  for (const preference of FIXED_PREFERENCES) {
    const cost = preference.cost(ask, world)
    if (cost) costs.set(preference.name, Float64Array.from(world.hosts, cost))
  }
  return costs
}

/** Equal machines have equal ranks. */
function ranksOf(hosts: readonly Host[], costs: Eligible['costs']): (host: Host) => number {
  if (costs.size === 0) return () => 0
  const rows = [...costs.values()]
  const compare = (a: Host, b: Host): number => {
    for (const row of rows) if (row[a.index] !== row[b.index]) return (row[a.index] ?? 0) - (row[b.index] ?? 0)
    return 0
  }
  const ranks = new Map<Host, number>()
  let [rank, previous]: [number, Host | undefined] = [0, undefined]
  for (const host of hosts.toSorted(compare)) {
    if (previous && compare(previous, host) !== 0) rank++
    ranks.set(host, rank)
    previous = host
  }
  return (host) => ranks.get(host) ?? 0
}
