import { selects } from '../label-selector.ts'
import type { Preference } from './rule.ts'

/** The weights of the preferred terms that the machine meets, summed up. */
export const preferred: Preference = {
  name: 'preferred',
  fixed: true,
  cost: ({ preferred: terms }) =>
    terms.length === 0
      ? undefined
      : ({ labels }) => {
          let cost = 0
          for (const { weight, machineSelector } of terms) if (selects(machineSelector, labels)) cost -= weight
          return cost
        },
}
