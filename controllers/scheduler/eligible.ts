/** What depends on machines alone is found once for all asks that are alike, and again only of machines that changed. */
import type { Ask } from './ask.ts'
import { createLoadHeap, type LoadHeap } from './load-heap.ts'
import { PREFERENCES, RULES } from './rules/index.ts'
import { leastRequested } from './rules/resources.ts'
import type { Host } from './rules/rule.ts'
import type { MutableWorld } from './world.ts'

export interface Eligible {
  /** The machines that could take it as far as they alone are concerned, by name. */
  hosts(): readonly Host[]
  has(host: Host): boolean
  /** By preference, in their order: what each machine costs, by its index. */
  readonly costs: ReadonlyMap<string, Float64Array>
  /** The machines in the order of what is fixed and their load, for asks that nothing else decides about; kept by requests. */
  byLoad(ask: Ask): LoadHeap
  /** Values of a label on these machines; the same list as long as nothing changes. */
  domains(topologyKey: string): readonly string[]
  /** False: it has to be found anew. */
  catchUp(): boolean
}

const FIXED = RULES.filter(({ fixed }) => fixed)
const FIXED_PREFERENCES = PREFERENCES.filter(({ fixed }) => fixed)
/** Kinds of asks that are kept, and machines in all of them together; the kind that was found first goes first. */
const MOST_KINDS = 1_000
const MOST_KEPT = 300_000
/** Amounts of requests of one kind for which machines are kept in order. */
const MOST_HEAPS = 8

/** `worldOf` is called only once the world is complete. */
export function createEligibility(worldOf: () => MutableWorld): (ask: Ask) => Eligible {
  const known = new Map<string, Eligible>()
  const find = (ask: Ask): Eligible => {
    const found = findEligible(ask, worldOf())
    known.delete(ask.signature)
    known.set(ask.signature, found)
    const [oldest] = known.keys()
    const most = Math.min(MOST_KINDS, Math.max(MOST_HEAPS, MOST_KEPT / (worldOf().hosts.length + 1)))
    if (known.size > most && oldest !== undefined) known.delete(oldest)
    return found
  }
  return (ask) => {
    const found = known.get(ask.signature)
    return found?.catchUp() ? found : find(ask)
  }
}

function findEligible(ask: Ask, world: MutableWorld): Eligible {
  const checks = FIXED.flatMap((rule) => rule.check(ask, world) ?? [])
  const takes = (host: Host): boolean =>
    world.hosts[host.index] === host && !checks.some(({ refuses }) => refuses(host))
  const members = new Set(world.hosts.filter(takes))
  const costs = costsOf(ask, world)
  const heaps = createHeaps(world, members, ranksOf([...members], costs))
  const { facts } = world.journals
  let readTo = facts.head
  let hosts: readonly Host[] | undefined
  let domains = new Map<string, readonly string[]>()
  const listed = (): readonly Host[] => {
    hosts ??= world.hosts.filter((host) => members.has(host))
    return hosts
  }
  return {
    ...{ hosts: listed, costs, byLoad: heaps.of, has: (host) => members.has(host) },
    domains: (topologyKey) => {
      const values = domains.get(topologyKey) ?? [
        ...new Set(listed().flatMap(({ labels }) => labels[topologyKey] ?? [])),
      ]
      domains.set(topologyKey, values)
      return values
    },
    catchUp: () => {
      if (readTo === facts.head) return true
      const changed = facts.since(readTo)
      if (!changed || costs.size > 0 || [...changed].some(isDisliked)) return false
      readTo = facts.head
      for (const host of changed)
        if (takes(host)) members.add(host)
        else members.delete(host)
      hosts = undefined
      domains = new Map()
      return true
    },
  }
}

function isDisliked({ machine }: Host): boolean {
  return machine.spec?.taints?.some(({ effect }) => effect === 'PreferNoSchedule') ?? false
}

function createHeaps(world: MutableWorld, members: ReadonlySet<Host>, rankOf: (host: Host) => number) {
  const heaps = new Map<string, { readonly heap: LoadHeap; readTo: number }>()
  const { lighter } = world.journals
  const make = (ask: Ask) => {
    const loadOf = leastRequested.cost(ask, world) ?? (() => 0)
    const made = { heap: createLoadHeap({ hosts: [...members], rankOf, loadOf }), readTo: lighter.head }
    const [oldest] = heaps.keys()
    if (heaps.size === MOST_HEAPS && oldest !== undefined) heaps.delete(oldest)
    heaps.set(ask.requestsKey, made)
    return made
  }
  return {
    of: (ask: Ask): LoadHeap => {
      const known = heaps.get(ask.requestsKey)
      const changed = known && lighter.since(known.readTo)
      if (!known || !changed || changed.size > members.size / 2) return make(ask).heap
      for (const host of changed)
        if (members.has(host)) known.heap.renew(host)
        else known.heap.drop(host)
      known.readTo = lighter.head
      return known.heap
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
