/** Who leaves one machine now, and what holds up the others. Pure; takes from the budget what it uses. */
import { EVICT_FROM, isDraining, type Party, parallelOf, partiesOn } from '../../crds/drain.ts'
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import type { Budget } from './budget.ts'
import { isUnderWay } from './sight.ts'

export interface LeaveSight {
  readonly name: string
  /** Undefined: there is none of that name (any more). */
  readonly machine: Readonly<Machine> | undefined
  readonly units: readonly Readonly<Unit>[]
  readonly budget: Budget
  readonly hasPlace: (party: readonly Readonly<Unit>[]) => boolean
}

export interface Held {
  readonly units: readonly Readonly<Unit>[]
  readonly why: string
}

/** How a machine's drain stands. */
export interface Sight {
  readonly name: string
  readonly units: readonly Readonly<Unit>[]
  /** False: only those that were asked by name are to leave. */
  readonly isWhole: boolean
  readonly leaving: readonly Readonly<Unit>[]
  readonly staying: readonly Party[]
  /** Asked to leave, and not yet. */
  readonly held: readonly Held[]
  /** Those that just leave among them. */
  readonly underWay: readonly Readonly<Unit>[]
}

export interface Leave {
  readonly name: string
  readonly reason: string
  readonly taken: readonly (readonly Readonly<Unit>[])[]
  readonly sight: Sight
}

export function leave({ name, machine, units, budget, hasPlace }: LeaveSight): Leave {
  const isWhole = machine !== undefined && isDraining(machine)
  const parties = partiesOn(name, units)
  const leaving = parties
    .filter(({ stays, units: party }) => stays === undefined && (isWhole || party.some(isAskedFor)))
    .map((party) => party.units)
  const away = units.filter((unit) => isUnderWay(unit, name))
  const { taken, held } = choose(leaving, away.length, parallelOf(machine ?? {}), { budget, hasPlace })
  const staying = parties.filter(({ stays }) => stays !== undefined)
  return {
    name,
    reason: isWhole ? `${name} is being drained` : `it was asked to leave ${name}`,
    taken,
    sight: { name, units, isWhole, leaving: leaving.flat(), staying, held, underWay: [...away, ...taken.flat()] },
  }
}

/** By name, and not by a drain of the machine (kubectl drain). */
export function isAskedFor({ metadata, spec }: Readonly<Unit>): boolean {
  return Boolean(spec.machineName) && metadata.annotations?.[EVICT_FROM] === spec.machineName
}

type Group = readonly Readonly<Unit>[]

/** What no other machine takes goes last, when nothing else is left to go: until then it runs. */
function choose(
  leaving: readonly Group[],
  away: number,
  most: number,
  { budget, hasPlace }: Pick<LeaveSight, 'budget' | 'hasPlace'>,
): { readonly taken: readonly Group[]; readonly held: readonly Held[] } {
  if (away >= most) return { taken: [], held: leaving.map(itsTurn) }
  const placeable = new Set(leaving.filter(hasPlace))
  const isNext = (group: Group) => placeable.size === 0 || placeable.has(group)
  const taken: Group[] = []
  const held: Held[] = []
  let count = away
  for (const units of leaving) {
    // A group larger than there may be at once goes alone.
    const hasTurn = count + units.length <= most || count === 0
    const why = !isNext(units) ? 'goes last: no other machine takes it' : hasTurn ? budget.claim(units) : TURN
    if (why === undefined) {
      taken.push(units)
      count += units.length
    } else held.push({ units, why })
  }
  return { taken, held }
}

const TURN = 'waits its turn'

function itsTurn(units: Group): Held {
  return { units, why: TURN }
}
