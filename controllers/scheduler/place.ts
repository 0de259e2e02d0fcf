/** One round of placement: first what may not stay is taken off, then what is on no machine is placed. */
import type { Unit } from '../../crds/unit.ts'
import type { NewCondition } from '../lib/conditions.ts'
import { type Ask, askOf } from './ask.ts'
import { best, checksOf, notToReturn, refusal } from './choose.ts'
import { type Evicted, evict } from './evict.ts'
import { asksNamed } from './observed.ts'
import { inOrder } from './order.ts'
import type { Judge, Refusals, Refused } from './refused.ts'
import type { Host } from './rules/rule.ts'
import { type From, placeTogether, refusedTogether } from './together.ts'
import type { MutableWorld } from './world.ts'

export interface Task {
  /** Wanted, and on no machine. */
  readonly pending: readonly Readonly<Unit>[]
  /** The unit of this name, if it is in the world and may be taken off its machine. */
  readonly heldUnit: (name: string) => Readonly<Unit> | undefined
  readonly world: MutableWorld
  readonly refusals: Refusals
}

export interface About {
  readonly unit: Readonly<Unit>
  readonly reason: string
}
export interface Move extends About {
  readonly do: 'bind' | 'unbind'
  readonly machine: string
  /** The machine it is taken off and why, where that was not asked for. */
  readonly moved?: { readonly from: string; readonly because: string }
}
export type Decision = Move | (About & { readonly do: 'wait'; readonly condition: NewCondition })

/** Nothing is said about units that are, or go back to, where they were. */
export function placeAll(task: Task): Decision[] {
  const { pending, heldUnit, world, refusals } = task
  const evicted = new Map(evict(heldUnit, world).map((each) => [each.ask.name, each]))
  const units = [...pending, ...[...evicted.values()].map(({ unit }) => unit)].sort(byName)
  const round: Round = {
    ...{ world, refusals, evicted },
    unitOf: new Map(units.map((unit) => [unit.metadata.name, unit])),
    from: new Map([...evicted].map(([name, each]) => [name, each.from])),
  }
  const decisions: Decision[] = []
  for (const group of inOrder(units.map(askOf), asksNamed(units))) decideOn(group, round, decisions)
  refusals.tidy()
  return decisions
}

interface Round extends Pick<Task, 'world' | 'refusals'> {
  readonly unitOf: ReadonlyMap<string, Readonly<Unit>>
  readonly evicted: ReadonlyMap<string, Evicted>
  readonly from: From
}

function decideOn(group: readonly Ask[], round: Round, decisions: Decision[]): void {
  const { unitOf, evicted, from, world, refusals } = round
  const told = knownRefusals(group, round)
  const host = told ? undefined : placeGroup(group, from, world)
  for (const [at, ask] of group.entries()) {
    const unit = unitOf.get(ask.name)
    const off = evicted.get(ask.name)
    if (!unit || (host && host === off?.from)) continue
    if (host) decisions.push(bind(unit, host, off))
    else if (off) decisions.push(takeOff(off))
    else {
      const condition = told?.[at] ?? refusals.learn(refusedOf(ask, group, from, world))
      decisions.push({ do: 'wait', unit, condition, reason: condition.message })
    }
  }
}

/** What is to be said of each; undefined where some machine may have become able to take them. */
function knownRefusals(group: readonly Ask[], round: Round): readonly NewCondition[] | undefined {
  const { from, world, refusals } = round
  const told: NewCondition[] = []
  for (const ask of group) {
    const condition = from.has(ask.name) ? undefined : refusals.known(refusedOf(ask, group, from, world))
    if (!condition) return undefined
    told.push(condition)
  }
  return told
}

function refusedOf(ask: Ask, group: readonly Ask[], from: From, world: MutableWorld): Refused {
  return { ask, group, judge: () => judgeOf(ask, group, from, world) }
}

function judgeOf(ask: Ask, group: readonly Ask[], from: From, world: MutableWorld): Judge {
  if (group.length > 1) return (host) => refusedTogether(ask, group, host, from, world)?.reason
  const checks = checksOf(ask, world)
  return (host) => refusal(checks, host)?.reason
}

function placeGroup(group: readonly Ask[], from: From, world: MutableWorld): Host | undefined {
  return group.length > 1 ? placeTogether(group, from, world) : placeOne(group[0], from, world)
}

/** What was taken off stays after all where nothing is in its way any more. */
function placeOne(ask: Ask | undefined, from: From, world: MutableWorld): Host | undefined {
  if (!ask) return undefined
  const home = from.get(ask.name)
  const host = home && !notToReturn(ask, world, home) ? home : best(ask, world)
  if (host) world.place(ask, host)
  return host
}

function bind(unit: Readonly<Unit>, host: Host, off: Evicted | undefined): Decision {
  const reason = `least loaded of those that fit: ${host.count} units with this one`
  return { do: 'bind', unit, machine: host.name, reason, ...(off && { moved: cause(off) }) }
}

function takeOff(off: Evicted): Decision {
  const { unit, from, refusal } = off
  return { do: 'unbind', unit, machine: from.name, reason: refusal.reason, moved: cause(off) }
}

function cause({ from, refusal }: Evicted): { from: string; because: string } {
  return { from: from.name, because: refusal.reason }
}

function byName(a: Readonly<Unit>, b: Readonly<Unit>): number {
  return a.metadata.name < b.metadata.name ? -1 : 1
}
