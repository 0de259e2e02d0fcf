/** What depends on machines alone is found once for all asks that are alike, however many there are. */
import type { Ask } from './ask.ts'
import { PREFERENCES, RULES } from './rules/index.ts'
import type { Host, World } from './rules/rule.ts'

export interface Eligible {
  /** The machines that could take it as far as they alone are concerned, by name. */
  readonly hosts: readonly Host[]
  /** By preference, in their order: what each machine costs, by its index. */
  readonly costs: ReadonlyMap<string, Float64Array>
  /** Values of a label on these machines. */
  domains(topologyKey: string): readonly string[]
}

const FIXED = RULES.filter(({ fixed }) => fixed)
const FIXED_PREFERENCES = PREFERENCES.filter(({ fixed }) => fixed)

/** `worldOf` is called only once the world is complete. */
export function createEligibility(worldOf: () => World): (ask: Ask) => Eligible {
  const known = new Map<string, Eligible>()
  return (ask) => {
    const found = known.get(ask.signature) ?? findEligible(ask, worldOf())
    known.set(ask.signature, found)
    return found
  }
}

function findEligible(ask: Ask, world: World): Eligible {
  const checks = FIXED.flatMap((rule) => rule.check(ask, world) ?? [])
  const hosts = world.hosts.filter((host) => !checks.some(({ refuses }) => refuses(host)))
  const domains = new Map<string, readonly string[]>()
  return {
    hosts,
    costs: costsOf(ask, world),
    domains: (topologyKey) => {
      const values = domains.get(topologyKey) ?? [...new Set(hosts.flatMap(({ labels }) => labels[topologyKey] ?? []))]
      domains.set(topologyKey, values)
      return values
    },
  }
}

function costsOf(ask: Ask, world: World): ReadonlyMap<string, Float64Array> {
  const costs = new Map<string, Float64Array>()
  for (const preference of FIXED_PREFERENCES) {
    const cost = preference.cost(ask, world)
    if (cost) costs.set(preference.name, Float64Array.from(world.hosts, cost))
  }
  return costs
}
