/** On which machines a Global unit is: the scheduler's rules, asked of every machine by itself. */
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { isBoundByOwner, parentUid } from '../../crds/unit-set.ts'
import { type Ask, askOf } from './ask.ts'
import { checksOf, refusal } from './choose.ts'
import { worldOf } from './observed.ts'
import { RULES } from './rules/index.ts'
import { maxPerMachine } from './rules/max-per-machine.ts'
import type { Host } from './rules/rule.ts'
import { spread } from './rules/spread.ts'

export interface GlobalSight {
  readonly parent: Readonly<Unit>
  readonly machines: readonly Readonly<Machine>[]
  readonly units: readonly Readonly<Unit>[]
  /** Machines that it is on already: only rules that keep are asked there. */
  readonly present: ReadonlySet<string>
}

export interface GlobalAnswer {
  /** In the order of their names. */
  readonly machines: readonly string[]
  /** Some machine is left out because of what is placed there, so that other units may change the answer. */
  readonly dependsOnUnits: boolean
}

/** One on each machine is neither too many nor uneven. */
const COMING = RULES.filter((rule) => rule !== spread && rule !== maxPerMachine)
const STAYING = RULES.filter(({ keeps }) => keeps)
const FIXED = new Set(RULES.filter(({ fixed }) => fixed).map(({ name }) => name))

export function machinesForGlobal(sight: GlobalSight): GlobalAnswer {
  const ask = askOf(sight.parent)
  const { uid } = sight.parent.metadata
  const others = sight.units.filter((unit) => unit.spec.machineName && parentUid(unit) !== uid && matters(unit, ask))
  const coming = checker(sight, ask, others, COMING)
  // An ordinary unit that it cannot be with is the scheduler's to move; of two Global ones the lesser name stays (fleet).
  const staying = checker(
    sight,
    ask,
    others.filter((unit) => isLesserGlobal(unit, sight.parent)),
    STAYING,
  )
  let dependsOnUnits = false
  const machines = coming.hosts.filter((host) => {
    const found = (sight.present.has(host.name) ? staying : coming).refusedAt(host)
    if (found !== undefined && !FIXED.has(found)) dependsOnUnits = true
    return found === undefined
  })
  return { machines: machines.map(({ name }) => name), dependsOnUnits }
}

/** Most units ask nothing of others; a world of all of them would be made for each look at each Global unit. */
function matters(unit: Readonly<Unit>, ask: Ask): boolean {
  return ask.requests.size > 0 || ask.conflicts.length > 0 || askOf(unit).conflicts.length > 0
}

function isLesserGlobal(unit: Readonly<Unit>, parent: Readonly<Unit>): boolean {
  const owner = unit.metadata.ownerReferences?.find(({ controller }) => controller)?.name
  return isBoundByOwner(unit) && owner !== undefined && owner < parent.metadata.name
}

function checker({ parent, machines }: GlobalSight, ask: Ask, others: readonly Readonly<Unit>[], rules: typeof RULES) {
  const world = worldOf({ machines, units: [...others, parent], assumed: new Map() })
  world.remove(ask)
  const checks = checksOf(ask, world, rules)
  return { hosts: world.hosts, refusedAt: (host: Host) => refusalAt(checks, world.hosts[host.index] ?? host) }
}

function refusalAt(checks: ReturnType<typeof checksOf>, host: Host): string | undefined {
  return refusal(checks, host)?.rule
}
