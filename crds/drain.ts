/**
 * What a drain is, in the objects: who asks for it, what it moves, and what stays. The controller that does it and the
 * server that shows it to kubectl read the same rules here. Pure.
 */
import type { Machine } from './machine.ts'
import type { Unit } from './unit.ts'
import { isBoundByOwner, isParent } from './unit-set.ts'
import { readXFleet } from './x-fleet.ts'

/** On a cordoned Machine, effect NoSchedule: its units are to be moved off. The value is how many at once. */
export const DRAIN_TAINT = 'flotilla.dev/drain'
/** On a Unit, the name of a machine: it is to be moved off it, as if that were drained (kubectl drain). */
export const EVICT_FROM = 'flotilla.dev/evict-from'
/** On a Unit, the name of a machine: it was taken off it and is not settled elsewhere yet. */
export const MOVED_FROM = 'flotilla.dev/moved-from'
/** Condition of a Machine: True when nothing is left that a drain moves. */
export const DRAINED = 'Drained'

export const DEFAULT_PARALLEL = 4
const MAX_PARALLEL = 1_000

type Taint = NonNullable<NonNullable<Machine['spec']>['taints']>[number]
type Toleration = NonNullable<NonNullable<Unit['spec']['placement']>['tolerations']>[number]

export function drainTaint({ spec }: Pick<Machine, 'spec'>): Taint | undefined {
  return spec?.taints?.find(({ key, effect }) => key === DRAIN_TAINT && effect === 'NoSchedule')
}

/** The taints without the drain's. */
export function withoutDrain({ spec }: Pick<Machine, 'spec'>): Taint[] {
  return (spec?.taints ?? []).filter(({ key, effect }) => key !== DRAIN_TAINT || effect !== 'NoSchedule')
}

/** Whoever lets a machine be used again, by whatever tool, ends its drain with that. */
export function isDraining(machine: Pick<Machine, 'spec'>): boolean {
  return machine.spec?.unschedulable === true && drainTaint(machine) !== undefined
}

export function parallelOf(machine: Pick<Machine, 'spec'>): number {
  const asked = Number(drainTaint(machine)?.value)
  return Number.isInteger(asked) && asked >= 1 ? Math.min(asked, MAX_PARALLEL) : DEFAULT_PARALLEL
}

/** Units that go together, or not at all. */
export interface Party {
  /** By name; those that others follow (MachineOf) before their followers. */
  readonly units: readonly Readonly<Unit>[]
  /** Why they stay; undefined: they go when they are asked to. */
  readonly stays: string | undefined
}

/**
 * The units that are placed on the machine, but for those that its drain has nothing to do with: instances of Global
 * units, which belong to it as daemons do, and what is ending anyway. Sorted by the name of the first of each.
 */
export function partiesOn(machine: string, units: readonly Readonly<Unit>[]): Party[] {
  const placed = units
    .filter((unit) => unit.spec.machineName === machine && isMovable(unit))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const followed = followedBy(placed)
  const parties: Party[] = []
  const seen = new Set<Readonly<Unit>>()
  for (const unit of placed) {
    if (seen.has(unit)) continue
    const members = reach(unit, followed.either)
    for (const member of members) seen.add(member)
    const inOrder = leadersFirst(
      placed.filter((each) => members.has(each)),
      followed.by,
    )
    parties.push({ units: inOrder, stays: whyTheyStay(inOrder) })
  }
  return parties
}

function isMovable(unit: Readonly<Unit>): boolean {
  const isEnding = unit.metadata.deletionTimestamp !== undefined || unit.spec.desiredState === 'inactive'
  return !isEnding && !isParent(unit) && !isBoundByOwner(unit)
}

type Relation = ReadonlyMap<Readonly<Unit>, ReadonlySet<Readonly<Unit>>>

/** Who names whom in MachineOf, among these; and the same without direction. */
function followedBy(units: readonly Readonly<Unit>[]): { readonly by: Relation; readonly either: Relation } {
  const named = new Map<string, Readonly<Unit>[]>()
  for (const unit of units)
    for (const name of new Set([unit.metadata.name, aliasOf(unit)])) named.set(name, [...(named.get(name) ?? []), unit])
  const by = new Map(units.map((unit) => [unit, new Set(peersOf(unit).flatMap((name) => named.get(name) ?? []))]))
  const either = new Map(units.map((unit) => [unit, new Set(by.get(unit))]))
  for (const [follower, leaders] of by) for (const leader of leaders) either.get(leader)?.add(follower)
  return { by, either }
}

function aliasOf({ metadata, spec }: Readonly<Unit>): string {
  return spec.unitName ?? metadata.name
}

function peersOf(unit: Readonly<Unit>): string[] {
  const alias = aliasOf(unit)
  const peers = [...readXFleet(unit.spec.content, alias).machineOf, ...(unit.spec.placement?.machineOf ?? [])]
  return peers.filter((peer) => peer !== alias)
}

function reach(from: Readonly<Unit>, relation: Relation): Set<Readonly<Unit>> {
  const found = new Set([from])
  for (const unit of found) for (const next of relation.get(unit) ?? []) found.add(next)
  return found
}

/** By name, but nobody before those it follows; in a circle whoever is come by first goes last. */
function leadersFirst(units: readonly Readonly<Unit>[], follows: Relation): Readonly<Unit>[] {
  const seen = new Set<Readonly<Unit>>()
  const ordered = new Set<Readonly<Unit>>()
  for (const unit of units) {
    const trail = [unit]
    for (let top = trail.at(-1); top; top = trail.at(-1)) {
      seen.add(top)
      const leader = [...(follows.get(top) ?? [])].find((each) => !seen.has(each))
      if (leader) trail.push(leader)
      else ordered.add(trail.pop() ?? top)
    }
  }
  return [...ordered]
}

function whyTheyStay(units: readonly Readonly<Unit>[]): string | undefined {
  const [first, why] = units.map((unit) => [unit, whyItStays(unit)] as const).find(([, reason]) => reason) ?? []
  if (first === undefined || why === undefined) return undefined
  return units.length === 1 ? why : `with ${first.metadata.name}: ${why}`
}

function whyItStays({ spec }: Readonly<Unit>): string | undefined {
  if (spec.failover === 'none') return 'its failover is none'
  return spec.placement?.tolerations?.some(toleratesDrain) ? `it tolerates ${DRAIN_TAINT}` : undefined
}

/** As Kubernetes reads a toleration: no key is every key, no effect every effect. */
function toleratesDrain({ key = '', operator = 'Equal', effect = 'NoSchedule' }: Toleration): boolean {
  if (effect !== 'NoSchedule') return false
  return key === '' ? operator === 'Exists' : key === DRAIN_TAINT
}
