/** Whether the scheduler would find another machine for units that leave theirs: its own rules, asked before they go. Pure. */
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { askOf } from '../scheduler/ask.ts'
import { best } from '../scheduler/choose.ts'
import { worldOf } from '../scheduler/observed.ts'
import { placeTogether } from '../scheduler/together.ts'
import type { MutableWorld } from '../scheduler/world.ts'

interface Sight {
  readonly machines: readonly Readonly<Machine>[]
  readonly units: readonly Readonly<Unit>[]
}

/** The world is made with the first question: most looks at a drain ask none. */
export function elsewhere({ machines, units }: Sight): (party: readonly Readonly<Unit>[]) => boolean {
  let world: MutableWorld | undefined
  return (party) => {
    world ??= worldOf({ machines, units, assumed: new Map() })
    return hasPlace(party, world)
  }
}

function hasPlace(party: readonly Readonly<Unit>[], world: MutableWorld): boolean {
  const asks = party.map(askOf)
  const homes = asks.map((ask) => ({ ask, home: world.hostOf(ask) }))
  for (const ask of asks) world.remove(ask)
  const [ask] = asks
  const found = asks.length === 1 && ask ? best(ask, world) : placeTogether(asks, NOWHERE, world)
  if (found && asks.length > 1) for (const each of asks) world.remove(each)
  for (const { ask, home } of homes) if (home) world.place(ask, home)
  return found !== undefined
}

const NOWHERE = new Map()
