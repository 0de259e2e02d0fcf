import type { Ask } from '../ask.ts'
import type { Check, Host, Rule, World } from './rule.ts'

/**
 * Conflicts: globs, in both directions. It is refused where one of its patterns matches a unit of the machine, and where
 * a unit of the machine has a pattern that matches it. Never by itself.
 */
export const conflicts: Rule = {
  name: 'conflicts',
  fixed: false,
  keeps: true,
  check: (ask, world) => {
    const against = world.patternsFor(ask.alias)
    if (ask.conflicts.length === 0 && against.length === 0) return undefined
    return checkOf(ask, world, against)
  },
}

function checkOf(ask: Ask, world: World, against: readonly string[]): Check {
  const found = (host: Host): string | undefined =>
    firstOther(ask, ask.conflicts, (pattern) => host.matching(pattern)) ??
    firstOther(ask, against, (pattern) => host.having('conflicts', pattern))
  return {
    refuses: (host) => found(host) !== undefined,
    because: (host) => {
      const other = found(host) ?? ''
      const alias = world.askNamed(other)?.alias ?? other
      return { reason: `conflicts with ${alias}`, fix: `take ${other} off ${host.name}, or out of Conflicts` }
    },
  }
}

/** The first, by name, so that the same world always gives the same words. */
function firstOther(
  ask: Ask,
  patterns: readonly string[],
  namesOf: (pattern: string) => Iterable<string>,
): string | undefined {
  let first: string | undefined
  for (const pattern of patterns)
    for (const name of namesOf(pattern)) if (name !== ask.name && (first === undefined || name < first)) first = name
  return first
}
