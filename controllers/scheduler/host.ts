/** A machine in the scheduler's world, with the books of what is placed on it. */
import type { Machine } from '../../crds/machine.ts'
import { findCondition } from '../lib/conditions.ts'
import type { Ask } from './ask.ts'
import { type Quantities, quantities } from './quantity.ts'
import type { Host } from './rules/rule.ts'

/** Names, by pattern. */
export type Index = Map<string, Set<string>>

export interface MutableHost extends Host {
  index: number
  machine: Readonly<Machine>
  labels: Readonly<Record<string, string>>
  allocatable: Quantities
  /** Everything about the machine that some rule or reason reads. */
  facts: string
  /** When each of its taints was first seen, in ms of the world's time. */
  readonly taintedAtMs: Map<string, number>
  count: number
  readonly used: Map<string, number>
  readonly asks: Set<Ask>
  /** What is here, by the patterns that match it. */
  readonly matched: Index
  /** What is here, by the patterns it has. */
  readonly conflicts: Index
  readonly replaces: Index
}

const NONE: ReadonlySet<string> = new Set()
/** The label that every Kubernetes node has; a machine is one, so its name counts where the label is not set. */
const HOSTNAME = 'kubernetes.io/hostname'

export function createHost(machine: Readonly<Machine>, slot: number): MutableHost {
  return {
    name: machine.metadata.name,
    index: -1,
    slot,
    ...factsIn(machine),
    taintedAtMs: new Map(),
    used: new Map(),
    count: 0,
    asks: new Set(),
    matched: new Map(),
    conflicts: new Map(),
    replaces: new Map(),
    matching(pattern) {
      return this.matched.get(pattern) ?? NONE
    },
    having(option, pattern) {
      return this[option].get(pattern) ?? NONE
    },
  }
}

export function factsIn(machine: Readonly<Machine>): Pick<MutableHost, 'machine' | 'facts' | 'labels' | 'allocatable'> {
  const { metadata, spec, status } = machine
  const ready = findCondition(status?.conditions, 'Ready')
  const facts = JSON.stringify([
    metadata.labels,
    metadata.deletionTimestamp,
    spec?.unschedulable,
    spec?.taints,
    status?.machineID,
    status?.allocatable,
    ready?.status,
    ready?.reason,
  ])
  return {
    machine,
    facts,
    labels: { [HOSTNAME]: metadata.name, ...metadata.labels },
    allocatable: allocatableOf(machine),
  }
}

function allocatableOf({ status }: Readonly<Machine>): Quantities {
  return status?.allocatable ? quantities(status.allocatable, Math.floor) : new Map()
}

/** `by` is 1 for what comes and -1 for what goes. */
export function account(host: MutableHost, ask: Ask, matched: readonly string[], by: 1 | -1): void {
  host.count += by
  if (by > 0) host.asks.add(ask)
  else host.asks.delete(ask)
  for (const [name, amount] of ask.requests) host.used.set(name, (host.used.get(name) ?? 0) + by * amount)
  const change = by > 0 ? add : remove
  for (const pattern of matched) change(host.matched, pattern, ask.name)
  for (const pattern of ask.conflicts) change(host.conflicts, pattern, ask.name)
  for (const pattern of ask.replaces) change(host.replaces, pattern, ask.name)
}

export function add(index: Index, key: string, name: string): void {
  const names = index.get(key)
  if (names) names.add(name)
  else index.set(key, new Set([name]))
}

export function remove(index: Index, key: string, name: string): void {
  const names = index.get(key)
  names?.delete(name)
  if (names?.size === 0) index.delete(key)
}
