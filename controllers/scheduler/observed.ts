/** What a round is planned from, and the world that is made of it. */
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { type Ask, askOf } from './ask.ts'
import { createWorld, type MutableWorld } from './world.ts'

export interface Observed {
  readonly machines: readonly Readonly<Machine>[]
  readonly units: readonly Readonly<Unit>[]
  /** Unit name → machine: bindings that were decided and that `units` does not show yet; '' for an unbinding. */
  readonly assumed: ReadonlyMap<string, string>
}

/** Everything that is bound and wanted is placed in it, also what is being deleted: it is there until it is gone. */
export function worldOf({ machines, units, assumed }: Observed): MutableWorld {
  const asks = new Map<string, Ask>()
  for (const unit of units) if (unit.spec.desiredState !== 'inactive') asks.set(unit.metadata.name, askOf(unit))
  const world = createWorld(machines, asks)
  for (const { metadata, spec } of units) {
    const ask = asks.get(metadata.name)
    const host = world.hostNamed(assumed.get(metadata.name) ?? spec.machineName ?? '')
    if (ask && host) world.place(ask, host)
  }
  return world
}

/** Finds them by name and by what they are called on the machine. */
export function asksNamed(units: readonly Readonly<Unit>[]): (name: string) => readonly Ask[] {
  const known = new Map<string, Ask[]>()
  for (const ask of units.map(askOf))
    for (const name of new Set([ask.name, ask.alias])) {
      const asks = known.get(name)
      if (asks) asks.push(ask)
      else known.set(name, [ask])
    }
  return (name) => known.get(name) ?? []
}
