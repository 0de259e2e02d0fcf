/** What a plan is made from at once, and the world that is made of it. */
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
  const world = createWorld()
  for (const machine of machines) world.setMachine(machine)
  const wanted = units.filter(isWanted)
  for (const unit of wanted) world.addAsk(askOf(unit))
  for (const unit of wanted) {
    const host = world.hostNamed(assumed.get(unit.metadata.name) ?? unit.spec.machineName ?? '')
    if (host) world.place(askOf(unit), host)
  }
  return world
}

/** It has a place in the world: somewhere, or among those that wait. */
export function isWanted({ spec }: Readonly<Unit>): boolean {
  return spec.desiredState !== 'inactive'
}

/** Finds them by name and by what they are called on the machine; read only when somebody is looked for. */
export function asksNamed(units: readonly Readonly<Unit>[]): (name: string) => readonly Ask[] {
  let known: ReadonlyMap<string, readonly Ask[]> | undefined
  return (name) => {
    known ??= byNames(units.map(askOf))
    return known.get(name) ?? []
  }
}

function byNames(asks: readonly Ask[]): ReadonlyMap<string, readonly Ask[]> {
  const known = new Map<string, Ask[]>()
  for (const ask of asks)
    for (const name of new Set([ask.name, ask.alias])) {
      const same = known.get(name)
      if (same) same.push(ask)
      else known.set(name, [ask])
    }
  return known
}
