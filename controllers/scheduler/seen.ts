/**
 * Which spec of each unit the last round looked at. Agents change statuses all the time, and none of that can change
 * where a unit may be; a round is due only for a spec that no round has seen.
 */
import type { Unit } from '../../crds/unit.ts'
import type { Action } from './plan.ts'

export interface Seen {
  /** Our own bindings raise the generation by one; they are no news. */
  look(units: readonly Readonly<Unit>[], actions: readonly Action[]): void
  isNews(unit: Readonly<Unit>): boolean
}

export function createSeen(): Seen {
  let generations = new Map<string, number>()
  return {
    look: (units, actions) => {
      const bound = new Set(actions.filter((action) => action.do !== 'explain').map(({ unit }) => unit))
      const next = new Map<string, number>()
      for (const unit of units) {
        const [key, generation] = [keyOf(unit), unit.metadata.generation ?? 0]
        // A binding that the informer does not show yet was foreseen in the round that decided it.
        next.set(key, Math.max(generation + (bound.has(unit) ? 1 : 0), generations.get(key) ?? 0))
      }
      generations = next
    },
    isNews: (unit) => (unit.metadata.generation ?? 0) > (generations.get(keyOf(unit)) ?? -1),
  }
}

/** An object that was made anew under its old name counts its generations anew. */
function keyOf({ metadata }: Readonly<Unit>): string {
  return metadata.uid ?? metadata.name
}
