/**
 * The rules of placement a second time, as plainly as they can be said: no index, nothing prepared, everything looked at
 * for every question. It reads the problem, not the objects made of it.
 */
import { machineIdOf, type Problem, type ProblemMachine, type ProblemUnit } from './problem.ts'

/** Name of unit to name of machine; absent: on none. */
export type Placement = ReadonlyMap<string, string>

type Verdict = string | undefined
interface Sight extends Problem {
  readonly unit: ProblemUnit
  readonly machine: ProblemMachine
  readonly placement: Placement
}
interface OracleRule {
  readonly fixed: boolean
  readonly keeps: boolean
  readonly judge: (sight: Sight) => Verdict
}

/** Only the forms that problems use. */
export function matches(pattern: string, name: string): boolean {
  if (pattern === 'a*') return name.startsWith('a')
  if (pattern === 'w@*.service') return name.startsWith('w@')
  if (pattern === '*b.service') return name.endsWith('b.service')
  if (pattern === 'w@[12].service') return name === 'w@1.service' || name === 'w@2.service'
  return pattern === name
}

const RULES: readonly OracleRule[] = [
  { fixed: true, keeps: false, judge: ({ machine }) => (machine.ready ? undefined : 'not ready (AgentReady)') },
  { fixed: true, keeps: false, judge: ({ machine }) => (machine.cordoned ? 'cordoned' : undefined) },
  { fixed: true, keeps: true, judge: machineId },
  { fixed: true, keeps: true, judge: metadata },
  {
    fixed: true,
    keeps: true,
    judge: ({ unit: { zones }, machine: { zone } }) =>
      zones === undefined || (zone !== undefined && zones.includes(zone))
        ? undefined
        : `lacks label ${zones.length === 1 ? `zone=${zones[0]}` : `zone in (${zones.join(', ')})`}`,
  },
  { fixed: true, keeps: false, judge: (sight) => taint(sight, 'NoSchedule') },
  { fixed: true, keeps: true, judge: (sight) => taint(sight, 'NoExecute') },
  { fixed: false, keeps: true, judge: peers },
  { fixed: false, keeps: true, judge: conflicts },
  { fixed: false, keeps: true, judge: replaced },
  { fixed: false, keeps: false, judge: resources },
  { fixed: false, keeps: false, judge: spread },
  { fixed: false, keeps: false, judge: most },
]

/** The unit is looked at as if it were on no machine. */
export function refuses(sight: Sight, which: (rule: OracleRule) => boolean = () => true): Verdict {
  const placement = new Map(sight.placement)
  placement.delete(sight.unit.name)
  for (const rule of RULES.filter(which)) {
    const verdict = rule.judge({ ...sight, placement })
    if (verdict !== undefined) return verdict
  }
  return undefined
}

export const keeping = ({ keeps }: OracleRule): boolean => keeps

function machineId({ unit, machine }: Sight): Verdict {
  const own = machineIdOf(machine.name)
  const { machineId: wanted } = unit
  return wanted === undefined || wanted === own || wanted === own.slice(0, 8) ? undefined : `not machine ${wanted}`
}

function metadata({ unit, machine }: Sight): Verdict {
  for (const key of new Set(unit.metadata.map((pair) => pair.slice(0, 4)))) {
    const wanted = unit.metadata.filter((pair) => pair.startsWith(key))
    const own = `${key}=${key === 'disk' ? machine.disk : machine.zone}`
    if (!wanted.includes(own)) return `has no metadata ${wanted.join(' or ')}`
  }
  return undefined
}

function taint({ unit, machine }: Sight, effect: string): Verdict {
  const { taint: found } = machine
  return found?.effect === effect && !unit.tolerates ? `tainted gpu:${effect}` : undefined
}

function peers({ unit, machine, placement, machines }: Sight): Verdict {
  for (const peer of unit.peers.filter((each) => each !== unit.name)) {
    const at = placement.get(peer)
    const known = machines.some(({ name }) => name === at)
    if (!known) return `${peer} is not placed`
    if (at !== machine.name) return `${peer} is on ${at}`
  }
  return undefined
}

function othersOn({ machine, placement, units, unit }: Sight): ProblemUnit[] {
  return units
    .filter(({ name }) => name !== unit.name && placement.get(name) === machine.name)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function conflicts(sight: Sight): Verdict {
  const { unit } = sight
  const others = othersOn(sight)
  const found =
    others.find(({ name }) => unit.conflicts.some((pattern) => matches(pattern, name))) ??
    others.find((other) => other.conflicts.some((pattern) => matches(pattern, unit.name)))
  return found && `conflicts with ${found.name}`
}

function replaced(sight: Sight): Verdict {
  const { unit } = sight
  const over = (a: ProblemUnit, b: ProblemUnit) => a.replaces.some((pattern) => matches(pattern, b.name))
  const found = othersOn(sight).find(
    (other) => over(other, unit) && !over(unit, other) && !reached(sight, other).has(unit.name),
  )
  return found && `replaced by ${found.name}`
}

function resources(sight: Sight): Verdict {
  const { unit, machine } = sight
  const others = othersOn(sight)
  if (others.length + 1 > machine.units) return 'has as many units as it can bear'
  if (unit.cpu === undefined) return undefined
  const used = others.reduce((sum, { cpu = 0 }) => sum + cpu, 0)
  const text = unit.cpu === 0.5 ? '500m' : String(unit.cpu)
  return used + unit.cpu > machine.cpu ? `has not enough cpu for ${text}` : undefined
}

/** Who counts together with it, itself included. */
function together({ unit, units }: Sight): ProblemUnit[] {
  const isInstance = ({ name, app, countByApp }: ProblemUnit) => name.startsWith('w@') && !countByApp && app !== null
  if (unit.countByApp) return units.filter((each) => each === unit || (unit.app !== undefined && each.app === unit.app))
  return units.filter((each) => each === unit || (isInstance(unit) && isInstance(each)))
}

function spread(sight: Sight): Verdict {
  const { unit, machine, machines, placement } = sight
  if (unit.maxSkew === undefined) return undefined
  if (machine.zone === undefined) return 'has no label zone to spread over'
  const group = together(sight).filter((each) => each !== unit)
  const zoneOf = (name: string | undefined) => machines.find((each) => each.name === name)?.zone
  const count = (zone: string) => group.filter(({ name }) => zoneOf(placement.get(name)) === zone).length
  const eligible = machines.filter((each) => refuses({ ...sight, machine: each }, ({ fixed }) => fixed) === undefined)
  const fewest = Math.min(...eligible.flatMap(({ zone }) => (zone === undefined ? [] : [count(zone)])))
  return count(machine.zone) + 1 > fewest + unit.maxSkew
    ? `zone=${machine.zone} would have more than ${unit.maxSkew} above the fewest`
    : undefined
}

function most(sight: Sight): Verdict {
  const { unit, machine, placement } = sight
  const here = together(sight).filter((each) => each !== unit && placement.get(each.name) === machine.name).length
  const { maxPerMachine } = unit
  return maxPerMachine !== undefined && here >= maxPerMachine ? `has ${maxPerMachine} of these already` : undefined
}

/** Those that name each other, by whatever way round, itself included; sorted. */
export function bound(problem: Problem, unit: ProblemUnit): ProblemUnit[] {
  const own = reached(problem, unit)
  const mates = problem.units.filter(
    (each) => each !== unit && own.has(each.name) && reached(problem, each).has(unit.name),
  )
  return [unit, ...mates].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Why the unit, with all it is bound to, cannot be on the machine. */
export function refusesAll(problem: Problem, unit: ProblemUnit, machine: ProblemMachine, before: Placement): Verdict {
  const group = bound(problem, unit)
  if (group.length === 1) return refuses({ ...problem, unit, machine, placement: before })
  const placement = new Map(before)
  for (const { name } of group) placement.set(name, machine.name)
  for (const each of [unit, ...group.filter((mate) => mate !== unit)]) {
    const verdict = refuses({ ...problem, unit: each, machine, placement })
    if (verdict !== undefined) return each === unit ? verdict : `${each.name}, which must be there too: ${verdict}`
  }
  return undefined
}

/** Names of those it follows, and of those they follow. */
function reached({ units }: Problem, from: ProblemUnit): Set<string> {
  const found = new Set<string>()
  const open = [from]
  for (let each = open.pop(); each; each = open.pop())
    for (const peer of units.filter(({ name }) => each?.peers.includes(name) && !found.has(name))) {
      found.add(peer.name)
      open.push(peer)
    }
  return found
}
