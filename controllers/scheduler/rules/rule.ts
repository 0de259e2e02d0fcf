/** What rules are made of. All of them are pure: they read the world and say what they see. */
import type { Machine } from '../../../crds/machine.ts'
import type { Ask } from '../ask.ts'
import type { Quantities } from '../quantity.ts'
import type { Taint } from '../taint-times.ts'

/** A machine and what is placed on it, this round's decisions included. */
export interface Host {
  readonly name: string
  /** Place among `World.hosts`; moves when machines come and go. */
  readonly index: number
  /** A small number of its own for as long as it is there. */
  readonly slot: number
  readonly machine: Readonly<Machine>
  readonly labels: Readonly<Record<string, string>>
  readonly allocatable: Quantities
  readonly used: Quantities
  /** Of what is placed here and wanted. */
  readonly count: number
  /** Names of what is here and matches the pattern. */
  matching(pattern: string): Iterable<string>
  /** Names of what is here and has this pattern among its Conflicts, or Replaces. */
  having(option: 'conflicts' | 'replaces', pattern: string): Iterable<string>
}

export interface World {
  /** By name. */
  readonly hosts: readonly Host[]
  /** Where those with this name, of the object or on the machine, are placed. */
  placedAs(name: string): ReadonlySet<Host>
  /** The patterns, of those that anything has among its Conflicts or Replaces, that match the name. */
  patternsFor(name: string): readonly string[]
  askNamed(name: string): Ask | undefined
  /** How many of a group are on the machine. */
  groupOn(group: string, host: Host): number
  /** How many of a group are on all machines with this value of a label. */
  groupIn(group: string, topologyKey: string, value: string): number
  /** How many of its group are where fewest are, of the label's values on machines that by themselves could take it. */
  fewestIn(ask: Ask, topologyKey: string): number
  /** How long the machine has had this taint. */
  taintedForMs(host: Host, taint: Taint): number
}

export interface Refusal {
  readonly rule: string
  /** In words for people; the same for machines that refuse for the same cause. */
  readonly reason: string
  /** What is particular to this machine. */
  readonly detail?: string
  /** What would take this refusal away, as a command or in words. */
  readonly fix: string
}

/** A rule prepared for one ask. */
export interface Check {
  readonly refuses: (host: Host) => boolean
  /** Asked only where it refuses. */
  readonly because: (host: Host) => Omit<Refusal, 'rule'>
}

export interface Rule {
  readonly name: string
  /** True: depends on the machine alone, not on what is placed; found once for all asks that are alike. */
  readonly fixed: boolean
  /** True: what is placed already has to go when the rule no longer holds. False: only what comes is held to it. */
  readonly keeps: boolean
  /** Undefined when nothing is asked for that the rule is about, so that it costs nothing. */
  readonly check: (ask: Ask, world: World) => Check | undefined
}

/** What is merely better or worse: the lower the better. */
export interface Preference {
  readonly name: string
  readonly fixed: boolean
  readonly cost: (ask: Ask, world: World) => ((host: Host) => number) | undefined
}
