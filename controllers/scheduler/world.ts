/** The world of one round: machines and what is placed on them, indexed by what rules ask for. */
import type { Machine } from '../../crds/machine.ts'
import type { Ask } from './ask.ts'
import { createEligibility, type Eligible } from './eligible.ts'
import { createGroups } from './groups.ts'
import { account, createHost, type MutableHost } from './host.ts'
import { createPatterns } from './patterns.ts'
import type { Host, World } from './rules/rule.ts'

export interface MutableWorld extends World {
  hostNamed(name: string): Host | undefined
  /** Where it is placed. */
  hostOf(ask: Ask): Host | undefined
  place(ask: Ask, host: Host): void
  remove(ask: Ask): void
  /** How often something was removed. */
  readonly removals: number
  /** The machines that by themselves could take it. */
  eligible(ask: Ask): Eligible
}

const NOWHERE: ReadonlySet<Host> = new Set()

/** `asks` are all that may ever be placed in it or asked about. */
export function createWorld(machines: readonly Readonly<Machine>[], asks: ReadonlyMap<string, Ask>): MutableWorld {
  const hosts = machines
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((machine, index) => createHost(machine, index))
  const byName = new Map(hosts.map((host) => [host.name, host]))
  const all = [...asks.values()]
  const patterns = createPatterns(all.flatMap((ask) => [...ask.conflicts, ...ask.replaces]))
  const groups = createGroups(all)
  const peers = createPeers(all)
  const placed = new Map<string, MutableHost>()
  let removals = 0
  const change = (ask: Ask, host: MutableHost, by: 1 | -1): void => {
    account(host, ask, patterns.of(ask.alias), by)
    groups.change(host, ask, by)
    peers.change(host, ask, by)
  }
  const world: MutableWorld = {
    hosts,
    get removals() {
      return removals
    },
    hostNamed: (name) => byName.get(name),
    hostOf: ({ name }) => placed.get(name),
    placedAs: (name) => peers.hostsOf(name),
    patternsFor: (name) => patterns.of(name),
    askNamed: (name) => asks.get(name),
    groupOn: (group, host) => hosts[host.index]?.groups.get(group) ?? 0,
    groupIn: groups.within,
    domainsFor: (ask, topologyKey) => world.eligible(ask).domains(topologyKey),
    eligible: createEligibility(() => world),
    place: (ask, { index }) => {
      const host = hosts[index]
      if (!host || placed.has(ask.name))
        throw new Error(`${ask.name} is placed already, or on no machine of this world`)
      placed.set(ask.name, host)
      change(ask, host, 1)
    },
    remove: (ask) => {
      const host = placed.get(ask.name)
      if (!host) return
      placed.delete(ask.name)
      removals++
      change(ask, host, -1)
    },
  }
  return world
}

/** Where those are that somebody names in MachineOf; a name on a machine may be that of several objects. */
function createPeers(asks: readonly Ask[]) {
  const counts = new Map<string, Map<Host, number>>()
  const hosts = new Map<string, Set<Host>>()
  for (const peer of asks.flatMap((ask) => ask.peers)) counts.set(peer, new Map())
  const changeOne = (name: string, host: Host, by: 1 | -1): void => {
    const known = counts.get(name)
    if (!known) return
    const count = (known.get(host) ?? 0) + by
    known.set(host, count)
    const set = hosts.get(name) ?? new Set()
    if (count > 0) set.add(host)
    else set.delete(host)
    hosts.set(name, set)
  }
  return {
    hostsOf: (name: string): ReadonlySet<Host> => hosts.get(name) ?? NOWHERE,
    change: (host: Host, { name, alias }: Ask, by: 1 | -1): void => {
      if (counts.size === 0) return
      changeOne(name, host, by)
      if (alias !== name) changeOne(alias, host, by)
    },
  }
}
