/**
 * Where units go: to a machine that no rule refuses (`rules/`), the least loaded of them. Deterministic; every placement
 * counts for the next one of the same round. What is placed stays until a rule that keeps it there is broken.
 */
import type { Observed } from './observed.ts'
import { createPlanner } from './planner.ts'
import type { Action } from './round.ts'

export type { Observed } from './observed.ts'
export type { Action } from './round.ts'

/** At most one action a unit, sorted by unit name. Units that need nothing do not appear. */
export function plan({ machines, units, assumed }: Observed): Action[] {
  const planner = createPlanner()
  for (const machine of machines) planner.putMachine(machine)
  for (const unit of units) planner.putUnit(unit)
  for (const [name, machine] of assumed) planner.assume(name, machine)
  return planner.plan()
}
