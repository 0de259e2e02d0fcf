/** What is placed and may not stay: a rule that it was placed by no longer holds there. */
import type { Unit } from '../../crds/unit.ts'
import { type Ask, askOf } from './ask.ts'
import { notToStay } from './choose.ts'
import type { Host, Refusal } from './rules/rule.ts'
import type { MutableWorld } from './world.ts'

export interface Evicted {
  readonly unit: Readonly<Unit>
  readonly ask: Ask
  readonly from: Host
  readonly refusal: Refusal
}

/**
 * Takes them out of the world. Of two that cannot be together the younger goes. Who goes may take others along
 * (MachineOf): they are suspected then. `heldUnit`: the unit of this name, if its binding is the scheduler's to change.
 */
export function evict(heldUnit: (name: string) => Readonly<Unit> | undefined, world: MutableWorld): Evicted[] {
  const evicted: Evicted[] = []
  while (world.suspects.size > 0) {
    const suspects = [...world.suspects].flatMap((name) => heldUnit(name) ?? [])
    world.suspects.clear()
    const broken = suspects.filter((unit) => brokenRule(unit, world)).sort(youngerFirst)
    for (const unit of broken) {
      const found = brokenRule(unit, world)
      if (!found) continue
      world.remove(found.ask)
      evicted.push(found)
    }
  }
  return evicted
}

function brokenRule(unit: Readonly<Unit>, world: MutableWorld): Evicted | undefined {
  const ask = askOf(unit)
  const from = world.hostOf(ask)
  const found = from && !isAtEase(ask, from, world) && notToStay(ask, world, from)
  return found ? { unit, ask, from, refusal: found } : undefined
}

/** Asks for nothing that could be broken, and nobody asks anything of it: most units. */
export function isAtEase(ask: Ask, { machine }: Host, world: MutableWorld): boolean {
  const asksNothing = ask.signature === '' && ask.peers.length === 0 && ask.conflicts.length === 0
  return asksNothing && machine.spec?.taints === undefined && world.patternsFor(ask.alias).length === 0
}

function youngerFirst({ metadata: a }: Readonly<Unit>, { metadata: b }: Readonly<Unit>): number {
  const [born, other] = [a.creationTimestamp ?? '', b.creationTimestamp ?? '']
  return born === other ? (a.name > b.name ? -1 : 1) : born > other ? -1 : 1
}
