import type { Ask, Spread } from '../ask.ts'
import type { Host, Preference, Rule, World } from './rule.ts'

/**
 * Spread: over the values that a label has on machines that could take it by themselves, no value gets more than
 * `maxSkew` above the one that has fewest of the group.
 */
export const spread: Rule = {
  name: 'spread',
  fixed: false,
  keeps: false,
  check: (ask, world) => {
    const limits = ask.spread
      .filter(isHard)
      .map((each) => ({ ...each, most: world.fewestIn(ask, each.topologyKey) + each.maxSkew }))
    if (limits.length === 0) return undefined
    const exceeded = (host: Host) =>
      limits.find(
        ({ topologyKey, most }) => !(topologyKey in host.labels) || after(ask, topologyKey, host, world) > most,
      )
    return {
      refuses: (host) => exceeded(host) !== undefined,
      because: (host) => {
        const { topologyKey = '', maxSkew = 0 } = exceeded(host) ?? {}
        const value = host.labels[topologyKey]
        if (value === undefined)
          return {
            reason: `has no label ${topologyKey} to spread over`,
            fix: `kubectl label machine ${host.name} ${topologyKey}=VALUE`,
          }
        const reason = `${topologyKey}=${value} would have more than ${maxSkew} above the fewest`
        return { reason, fix: `set whenUnsatisfiable to ScheduleAnyway, or raise maxSkew of ${topologyKey}` }
      },
    }
  },
}

export const spreadSoftly: Preference = {
  name: 'spreadSoftly',
  fixed: false,
  cost: (ask, world) => {
    const soft = ask.spread.filter((each) => !isHard(each))
    if (soft.length === 0) return undefined
    return (host) => {
      let sum = 0
      for (const { topologyKey } of soft) sum += Math.min(after(ask, topologyKey, host, world), NOWHERE)
      return sum
    }
  },
}

/** Where the label is missing counts as worse than any value. */
const NOWHERE = 1e9

/** What no machine can cost less than; whether one costs so little is another matter where there are several keys. */
export function leastSpreadCost(ask: Ask, world: World): number {
  let sum = 0
  for (const each of ask.spread) if (!isHard(each)) sum += Math.min(world.fewestIn(ask, each.topologyKey) + 1, NOWHERE)
  return sum
}

function isHard({ whenUnsatisfiable }: Spread): boolean {
  return whenUnsatisfiable === 'DoNotSchedule'
}

/** How many of the group the host's value would have with this one. */
function after({ group }: Ask, topologyKey: string, { labels }: Host, world: World): number {
  const value = labels[topologyKey]
  return value === undefined ? Number.POSITIVE_INFINITY : world.groupIn(group, topologyKey, value) + 1
}
