import type { Machine } from '../../../crds/machine.ts'
import type { Unit } from '../../../crds/unit.ts'

/** Why nothing new may go to this machine, in words for people; undefined when it may. Pure. */
export type MachineRule = (machine: Readonly<Machine>) => string | undefined

/** Why this unit may not go to this machine; undefined when it may. Pure. */
export type UnitRule = (machine: Readonly<Machine>) => string | undefined

/** The machine a unit is bound to now, decisions of this round included; undefined when it is not placed. */
export type Placed = (unitName: string) => string | undefined

/** Prepares a rule for one unit; undefined when the unit does not ask for it, so that it costs nothing. */
export type UnitRuleOf = (unit: Readonly<Unit>, placed: Placed) => UnitRule | undefined
