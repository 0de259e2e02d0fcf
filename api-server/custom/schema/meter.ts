/**
 * What checking one object may cost. A user's schema and a user's object meet here, and either may be hostile: every
 * step of a regular expression and of a CEL rule is paid for, and what cannot be paid is refused, never waited for.
 */
export interface Meter {
  /** Throws `BudgetSpent` when less than `cost` is left. */
  spend(cost: number): void
  /** True once something could not be paid, however the error was treated on its way up. */
  spent(): boolean
  reset(): void
}

export class BudgetSpent extends Error {}

export function createMeter(budget: number): Meter {
  // One error for all throws: CEL's quantifiers catch errors of their items, so there may be a million of them.
  const error = new BudgetSpent('out of cost budget')
  let left = budget
  return {
    spend(cost) {
      left -= cost
      if (left < 0) throw error
    },
    spent: () => left < 0,
    reset() {
      left = budget
    },
  }
}
