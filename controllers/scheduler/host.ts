/** A machine in the world of a round, with the books of what is placed on it. */
import type { Machine } from '../../crds/machine.ts'
import type { Ask } from './ask.ts'
import { type Quantities, quantities } from './quantity.ts'
import type { Host } from './rules/rule.ts'

/** Names, by pattern. */
export type Index = Map<string, Set<string>>

export interface MutableHost extends Host {
  count: number
  readonly used: Map<string, number>
  /** What is here, by the patterns that match it. */
  readonly matched: Index
  /** What is here, by the patterns it has. */
  readonly conflicts: Index
  readonly replaces: Index
  readonly groups: Map<string, number>
}

const NONE: ReadonlySet<string> = new Set()
/** The label that every Kubernetes node has; a machine is one, so its name counts where the label is not set. */
const HOSTNAME = 'kubernetes.io/hostname'

export function createHost(machine: Readonly<Machine>, index: number): MutableHost {
  const { name } = machine.metadata
  return {
    name,
    index,
    machine,
    labels: labelsOf(machine),
    allocatable: allocatableOf(machine),
    used: new Map(),
    count: 0,
    matched: new Map(),
    conflicts: new Map(),
    replaces: new Map(),
    groups: new Map(),
    matching(pattern) {
      return this.matched.get(pattern) ?? NONE
    },
    having(option, pattern) {
      return this[option].get(pattern) ?? NONE
    },
  }
}

function labelsOf({ metadata }: Readonly<Machine>): Readonly<Record<string, string>> {
  return { [HOSTNAME]: metadata.name, ...metadata.labels }
}

const memo = new WeakMap<object, Quantities>()

function allocatableOf({ status }: Readonly<Machine>): Quantities {
  const resources = status?.allocatable
  if (!resources) return new Map()
  const known = memo.get(resources) ?? quantities(resources, Math.floor)
  memo.set(resources, known)
  return known
}

/** `by` is 1 for what comes and -1 for what goes. */
export function account(host: MutableHost, ask: Ask, matched: readonly string[], by: 1 | -1): void {
  host.count += by
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
  index.get(key)?.delete(name)
}
