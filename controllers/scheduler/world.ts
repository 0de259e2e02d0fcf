/**
 * Machines and what is placed on them, indexed by what rules ask for. It is kept from round to round, and each change
 * costs what it changes: `test/unit/controllers/scheduler/kept-world.test.ts` holds it to what a new one would answer.
 */
import type { Machine } from '../../crds/machine.ts'
import type { Ask } from './ask.ts'
import { type Asks, createAsks } from './asks.ts'
import { createEligibility, type Eligible } from './eligible.ts'
import { createGroups, type Groups } from './groups.ts'
import { account, add, factsIn, type MutableHost, remove } from './host.ts'
import { createJournal, type Journal } from './journal.ts'
import { createMachines, type Machines } from './machines.ts'
import { createPatterns, type Patterns } from './patterns.ts'
import { createPeers, type Peers } from './peers.ts'
import type { Host, World } from './rules/rule.ts'
import { suspectsOf } from './suspects.ts'
import { createTaintTimes, type TaintTimes } from './taint-times.ts'

export interface MutableWorld extends World {
  /** True when something that matters is new. */
  setMachine(machine: Readonly<Machine>): boolean
  /** What was there is on no machine then: their names. */
  dropMachine(name: string): readonly string[]
  /** Before it is placed or asked about. */
  addAsk(ask: Ask): void
  dropAsk(ask: Ask): void
  hostNamed(name: string): Host | undefined
  /** Where it is placed. */
  hostOf(ask: Ask): Host | undefined
  place(ask: Ask, host: Host): void
  remove(ask: Ask): void
  /** Whatever `work` places and removes is as it was when it ends; nobody need look at it again. */
  trial<T>(work: () => T): T
  /** The machines that by themselves could take it. */
  eligible(ask: Ask): Eligible
  /** Grows with whatever may change an answer about the ask other than what is on the machine in question. */
  stampOf(ask: Ask): number
  /** Grows with each ask that comes, goes or changes. */
  readonly asksVersion: number
  /** Sets the time; false when nothing came of it. */
  setTime(nowMs: number, wallMs: number): boolean
  /** When the passing of time will change something. */
  readonly dueAtMs: number
  readonly journals: Journals
  /** Names of what is placed and may have become unable to stay. */
  readonly suspects: Set<string>
}

export interface Journals {
  /** Machines that changed, came or went. */
  readonly facts: Journal<Host>
  /** Besides: that lost something. */
  readonly lighter: Journal<Host>
  /** Besides: that got something. */
  readonly touched: Journal<Host>
}

/** Who is further behind looks at all machines. */
const REMEMBERED = 8_192

interface Parts {
  readonly asks: Asks
  readonly groups: Groups
  readonly patterns: Patterns
  readonly peers: Peers
  readonly taints: TaintTimes
  readonly placed: Map<string, MutableHost>
  readonly machines: Machines
  readonly journals: Journals
  readonly suspects: Set<string>
}

export function createWorld(): MutableWorld {
  const parts = createParts()
  const { asks, groups, patterns, peers, taints, placed, journals, machines, suspects } = parts
  const places = createPlaces(parts)
  const world: MutableWorld = {
    ...{ journals, suspects, hosts: machines.hosts, hostNamed: machines.named },
    ...{ ...places, ...askChanges(parts, places.remove), ...machineChanges(parts, places.remove) },
    hostOf: ({ name }) => placed.get(name),
    placedAs: peers.hostsOf,
    patternsFor: patterns.of,
    askNamed: asks.named,
    groupOn: groups.on,
    groupIn: groups.within,
    fewestIn: (ask, topologyKey) => groups.least(ask.group, topologyKey, world.eligible(ask).domains(topologyKey)),
    taintedForMs: taints.forMs,
    eligible: createEligibility(() => world),
    stampOf: (ask) => stampOf(ask, parts),
    setTime: (nowMs, wallMs) => {
      const hosts = taints.setTime(nowMs, wallMs)
      for (const host of hosts) changed(host, parts)
      return hosts.length > 0
    },
    get asksVersion() {
      return asks.version
    },
    get dueAtMs() {
      return taints.dueAtMs
    },
  }
  return world
}

function changed(host: MutableHost, { journals, suspects }: Parts): void {
  for (const journal of Object.values(journals)) journal.add(host)
  for (const ask of host.asks) suspects.add(ask.name)
}

function askChanges(parts: Parts, takeOff: (ask: Ask) => void): Pick<MutableWorld, 'addAsk' | 'dropAsk'> {
  const { asks, groups, patterns, peers, taints } = parts
  return {
    addAsk: (ask) => {
      asks.add(ask, patterns.addName)
      groups.add(ask)
      peers.add(ask)
      for (const pattern of [...ask.conflicts, ...ask.replaces]) patterns.use(pattern)
      for (const host of taints.add(ask)) changed(host, parts)
    },
    dropAsk: (ask) => {
      takeOff(ask)
      for (const pattern of [...ask.conflicts, ...ask.replaces]) patterns.release(pattern)
      asks.remove(ask, patterns.removeName)
      peers.remove(ask)
      groups.remove(ask)
      taints.remove(ask)
      // Who may share a machine with its replacer because it follows it may do so by way of this one.
      if (ask.peers.length > 0) for (const alias of patterns.matched()) suspectAll(alias, parts)
    },
  }
}

function machineChanges(parts: Parts, takeOff: (ask: Ask) => void): Pick<MutableWorld, 'setMachine' | 'dropMachine'> {
  const { groups, taints, machines } = parts
  return {
    setMachine: (machine) => {
      const known = machines.named(machine.metadata.name)
      const facts = factsIn(machine)
      if (known?.facts === facts.facts) {
        known.machine = machine
        return false
      }
      const host = known ?? machines.add(machine)
      for (const ask of host.asks) groups.change(host, ask, -1)
      machines.update(host, facts)
      for (const ask of host.asks) groups.change(host, ask, 1)
      taints.setHost(host)
      changed(host, parts)
      return true
    },
    dropMachine: (name) => {
      const host = machines.named(name)
      if (!host) return []
      const there = [...host.asks]
      for (const ask of there) takeOff(ask)
      machines.remove(host)
      taints.dropHost(host)
      changed(host, parts)
      return there.map((ask) => ask.name)
    },
  }
}

function createParts(): Parts {
  const asks = createAsks()
  const placed = new Map<string, MutableHost>()
  const hostOf = ({ name }: Ask): Host | undefined => placed.get(name)
  const onMatch = (alias: string, pattern: string, by: 1 | -1): void => {
    for (const { name } of asks.calledOnMachine(alias)) {
      const host = placed.get(name)
      if (host) (by > 0 ? add : remove)(host.matched, pattern, name)
    }
  }
  const machines = createMachines()
  const [facts, lighter, touched] = [0, 1, 2].map(() => createJournal<Host>(REMEMBERED)) as [
    Journal<Host>,
    Journal<Host>,
    Journal<Host>,
  ]
  return {
    ...{ asks, placed, machines, journals: { facts, lighter, touched }, suspects: new Set() },
    groups: createGroups({ hostOf, all: asks.all }),
    patterns: createPatterns(onMatch),
    peers: createPeers(asks.knownAs, hostOf),
    taints: createTaintTimes(),
  }
}

function createPlaces(parts: Parts): Pick<MutableWorld, 'place' | 'remove' | 'trial'> {
  const { groups, patterns, peers, placed, journals, suspects, machines } = parts
  let trials = 0
  const change = (ask: Ask, host: MutableHost, by: 1 | -1): void => {
    account(host, ask, patterns.of(ask.alias), by)
    const isTrial = trials > 0
    groups.change(host, ask, by, isTrial)
    peers.change(host, ask, by, isTrial)
    if (isTrial) return
    journals.touched.add(host)
    if (by < 0) journals.lighter.add(host)
  }
  return {
    place: (ask: Ask, { name }: Host): void => {
      const host = machines.named(name)
      if (!host || placed.has(ask.name))
        throw new Error(`${ask.name} is placed already, or on no machine of this world`)
      placed.set(ask.name, host)
      change(ask, host, 1)
      if (trials === 0) for (const suspect of suspectsOf(ask, host, patterns.of(ask.alias))) suspects.add(suspect)
    },
    remove: (ask: Ask): void => {
      const host = placed.get(ask.name)
      if (!host) return
      placed.delete(ask.name)
      change(ask, host, -1)
      if (trials === 0) for (const follower of peers.followersOf(ask)) suspects.add(follower.name)
    },
    trial: <T>(work: () => T): T => {
      trials++
      try {
        return work()
      } finally {
        trials--
      }
    },
  }
}

function suspectAll(alias: string, { asks, placed, suspects }: Parts): void {
  for (const { name } of asks.calledOnMachine(alias)) if (placed.has(name)) suspects.add(name)
}

/** Every part of it only grows, so the sum is the same only where all are. */
function stampOf(ask: Ask, { asks, groups, patterns, peers, journals }: Parts): number {
  let stamp = 0
  for (const peer of ask.peers) stamp += peers.version(peer)
  if (ask.spread.length > 0) stamp += groups.version(ask.group) + journals.facts.head
  if (patterns.of(ask.alias).length > 0) stamp += asks.version
  return stamp
}
