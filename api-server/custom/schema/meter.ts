/**
 * What checking one object may cost. A user's schema and a user's object meet here, and either may be hostile: every
 * regular expression step and every CEL step is paid for, and what cannot be paid is refused, never waited for.
 */
export interface Meter {
  /** Throws `BudgetSpent` when less than `cost` is left. */
  spend(cost: number): void
  reset(): void
}

export class BudgetSpent extends Error {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run')
  }
}

export function createMeter(budget: number): Meter {
  let left = budget
  return {
    spend(cost) {
      left -= cost
      if (left < 0) throw new BudgetSpent()
    },
    reset() {
      left = budget
    },
  }
}
