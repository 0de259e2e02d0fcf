/** The best machine for one ask, and why it is none. */
import type { Ask } from './ask.ts'
import { TOO_MANY } from './load-heap.ts'
import { PREFERENCES, RULES } from './rules/index.ts'
import { resources } from './rules/resources.ts'
import type { Check, Host, Refusal, Rule, World } from './rules/rule.ts'
import { leastSpreadCost, spreadSoftly } from './rules/spread.ts'
import type { MutableWorld } from './world.ts'

type Cost = (host: Host) => number

const CHANGING = RULES.filter(({ fixed }) => !fixed)
const KEEPING = RULES.filter(({ keeps }) => keeps)
const RETURNING = RULES.filter((rule) => rule.keeps || rule === resources)

interface NamedCheck extends Check {
  readonly rule: string
}

export function checksOf(ask: Ask, world: World, rules: readonly Rule[] = RULES): NamedCheck[] {
  const checks: NamedCheck[] = []
  for (const rule of rules) {
    const check = rule.check(ask, world)
    if (check) checks.push({ rule: rule.name, ...check })
  }
  return checks
}

/** What the first rule that refuses says. */
export function refusal(checks: readonly NamedCheck[], host: Host): Refusal | undefined {
  const check = checks.find(({ refuses }) => refuses(host))
  return check && { rule: check.rule, ...check.because(host) }
}

/** What every rule that refuses says. */
export function refusals(checks: readonly NamedCheck[], host: Host): Refusal[] {
  return checks.filter(({ refuses }) => refuses(host)).map(({ rule, because }) => ({ rule, ...because(host) }))
}

/** Why something that is placed may not stay where it is. */
export function notToStay(ask: Ask, world: World, host: Host): Refusal | undefined {
  return refusal(checksOf(ask, world, KEEPING), host)
}

/** Why something that was taken off may not go back: besides, its room may have been given away. */
export function notToReturn(ask: Ask, world: World, host: Host): Refusal | undefined {
  return refusal(checksOf(ask, world, RETURNING), host)
}

/** The best of those that take it; undefined: none does. */
export function best(ask: Ask, world: MutableWorld): Host | undefined {
  const checks = checksOf(ask, world, CHANGING)
  const accepts = (host: Host) => !checks.some(({ refuses }) => refuses(host))
  const [peer] = ask.peers
  const eligible = world.eligible(ask)
  if (peer !== undefined) return scan(ask, world, inOrder(world.placedAs(peer)).filter(eligible.has), accepts)
  const cost = spreadSoftly.cost(ask, world)
  const found = eligible.byLoad(ask).best(accepts, cost && { cost, least: leastSpreadCost(ask, world) })
  return found === TOO_MANY ? scan(ask, world, eligible.hosts(), accepts) : found
}

function inOrder(hosts: ReadonlySet<Host>): Host[] {
  return [...hosts].sort((a, b) => a.index - b.index)
}

/** It is asked whether they take it only of machines that would be better than the best so far. */
function scan(
  ask: Ask,
  world: MutableWorld,
  hosts: readonly Host[],
  accepts: (host: Host) => boolean,
): Host | undefined {
  const costs = costsFor(ask, world)
  const least = costs.map(() => Number.POSITIVE_INFINITY)
  let found: Host | undefined
  for (const host of hosts) {
    if ((found && !isBetter(costs, host, least)) || !accepts(host)) continue
    found = host
    for (const [at, cost] of costs.entries()) least[at] = cost(host)
  }
  return found
}

function isBetter(costs: readonly Cost[], host: Host, least: readonly number[]): boolean {
  for (let at = 0; at < costs.length; at++) {
    const difference = (costs[at]?.(host) ?? 0) - (least[at] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}

/** What tells two machines apart, the weightiest first. */
export function costsFor(ask: Ask, world: MutableWorld): Cost[] {
  const { costs } = world.eligible(ask)
  return PREFERENCES.flatMap((preference) => {
    if (!preference.fixed) return preference.cost(ask, world) ?? []
    const known = costs.get(preference.name)
    return known ? [({ index }: Host) => known[index] ?? 0] : []
  })
}
