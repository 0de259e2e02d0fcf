import type { Ask } from '../ask.ts'
import { quantityText } from '../quantity.ts'
import type { Host, Preference, Rule } from './rule.ts'

/** What everything takes one of; a machine says in `allocatable.units` how many it bears. */
const UNITS = 'units'

/** No machine is promised more than it has: requests of what is placed, and the number of units. */
export const resources: Rule = {
  name: 'resources',
  fixed: false,
  keeps: false,
  check: (ask) => ({
    refuses: (host) => isFull(host) || (ask.requests.size > 0 && shortOf(host, ask) !== undefined),
    because: (host) => {
      if (isFull(host))
        return {
          reason: 'has as many units as it can bear',
          detail: `${host.count}`,
          fix: `take units off ${host.name}`,
        }
      const [name, amount] = shortOf(host, ask) ?? ['', 0]
      const free = (host.allocatable.get(name) ?? 0) - (host.used.get(name) ?? 0)
      return {
        reason: `has not enough ${name} for ${quantityText(name, amount)}`,
        detail: `${quantityText(name, free)} free`,
        fix: `request at most ${quantityText(name, Math.max(0, free))} of ${name}, or free some on ${host.name}`,
      }
    },
  }),
}

function isFull({ allocatable, count }: Host): boolean {
  return count + 1 > (allocatable.get(UNITS) ?? Number.POSITIVE_INFINITY)
}

/** A machine that does not say what it has of something is believed to have enough. */
function shortOf({ allocatable, used }: Host, { requests }: Ask): readonly [string, number] | undefined {
  for (const entry of requests) {
    const [name, amount] = entry
    const limit = allocatable.get(name)
    if (limit !== undefined && (used.get(name) ?? 0) + amount > limit) return entry
  }
  return undefined
}

/** The share of cpu or memory, whichever is greater, that would be spoken for. Only for what requests some. */
export const leastRequested: Preference = {
  name: 'leastRequested',
  fixed: false,
  cost: ({ requests }) =>
    requests.size === 0
      ? undefined
      : ({ allocatable, used }) => {
          let most = 0
          for (const [name, amount] of requests) {
            const limit = allocatable.get(name) ?? amount
            if (limit > 0) most = Math.max(most, ((used.get(name) ?? 0) + amount) / limit)
          }
          return most
        },
}

/** fleet's measure: how many units it has. */
export const fewestUnits: Preference = {
  name: 'fewestUnits',
  fixed: false,
  cost:
    () =>
    ({ count }) =>
      count,
}
