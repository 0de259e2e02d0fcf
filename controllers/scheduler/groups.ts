/** How many of what counts together are where: kept only for groups and labels that somebody asks about. */
import { type Ask, labelGroup } from './ask.ts'
import type { MutableHost } from './host.ts'

export interface Groups {
  change(host: MutableHost, ask: Ask, by: 1 | -1): void
  within(group: string, topologyKey: string, value: string): number
}

export function createGroups(asks: Iterable<Ask>): Groups {
  const topologies = new Map<string, Set<string>>()
  const labels = new Set<string>()
  for (const { group, spread, maxPerMachine, countBy } of asks) {
    if (spread.length === 0 && maxPerMachine === undefined) continue
    if (countBy !== undefined) labels.add(countBy)
    const keys = topologies.get(group) ?? new Set()
    for (const { topologyKey } of spread) keys.add(topologyKey)
    topologies.set(group, keys)
  }
  const counts = new Map<string, number>()
  const groupsOf = (ask: Ask): Set<string> => {
    const groups = new Set([ask.group])
    for (const key of labels) groups.add(labelGroup(key, ask.labels) ?? ask.group)
    return groups
  }
  return {
    change: (host, ask, by) => {
      if (topologies.size === 0) return
      for (const group of groupsOf(ask)) {
        const keys = topologies.get(group)
        if (!keys) continue
        host.groups.set(group, (host.groups.get(group) ?? 0) + by)
        for (const key of keys) {
          const domain = domainName(group, key, host.labels[key] ?? '')
          counts.set(domain, (counts.get(domain) ?? 0) + by)
        }
      }
    },
    within: (group, topologyKey, value) => counts.get(domainName(group, topologyKey, value)) ?? 0,
  }
}

function domainName(group: string, topologyKey: string, value: string): string {
  return `${group}\0${topologyKey}\0${value}`
}
