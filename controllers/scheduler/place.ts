/** One round of placement: first what may not stay is taken off, then what is on no machine is placed. */
import type { Unit } from '../../crds/unit.ts'
import type { NewCondition } from '../lib/conditions.ts'
import { type Ask, askOf } from './ask.ts'
import { best, notToReturn } from './choose.ts'
import { type Evicted, evict } from './evict.ts'
import { refusedBy } from './explain.ts'
import { asksNamed } from './observed.ts'
import { inOrder } from './order.ts'
import { unplaceable } from './reasons.ts'
import type { Host } from './rules/rule.ts'
import { placeTogether } from './together.ts'
import type { MutableWorld } from './world.ts'

export interface Task {
  /** Wanted, and on no machine. */
  readonly pending: readonly Readonly<Unit>[]
  /** In the world; may be taken off its machine. */
  readonly placed: readonly Readonly<Unit>[]
  readonly world: MutableWorld
}

interface About {
  readonly unit: Readonly<Unit>
  readonly reason: string
}
export type Decision =
  | (About & {
      readonly do: 'bind' | 'unbind'
      readonly machine: string
      readonly moved?: { readonly from: string; readonly because: string }
    })
  | (About & { readonly do: 'wait'; readonly condition: NewCondition })

/** Nothing is said about units that are, or go back to, where they were. */
export function placeAll({ pending, placed, world }: Task): Decision[] {
  const evicted = new Map(evict(placed, world).map((each) => [each.ask.name, each]))
  const from = new Map([...evicted].map(([name, each]) => [name, each.from]))
  const units = [...pending, ...[...evicted.values()].map(({ unit }) => unit)].toSorted(byName)
  const unitOf = new Map(units.map((unit) => [unit.metadata.name, unit]))
  const groups = inOrder(units.map(askOf), asksNamed(units))
  return groups.flatMap((group) => {
    const host = group.length > 1 ? placeTogether(group, from, world) : placeOne(group[0], from, world)
    return group.flatMap((ask) => {
      const unit = unitOf.get(ask.name)
      if (!unit) return []
      const off = evicted.get(ask.name)
      if (host) return host === off?.from ? [] : bind(unit, host, off)
      if (off) return takeOff(off)
      const condition = unplaceable(refusedBy(ask, group, from, world))
      return { do: 'wait', unit, condition, reason: condition.message }
    })
  })
}

/** What was taken off stays after all where nothing is in its way any more. */
function placeOne(ask: Ask | undefined, from: ReadonlyMap<string, Host>, world: MutableWorld): Host | undefined {
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
