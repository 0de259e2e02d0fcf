import { readXFleet } from '../x-fleet.ts'
import type { UnitRuleOf } from './rule.ts'

/** MachineID: only on the machine with this /etc/machine-id. */
export const machineId: UnitRuleOf = ({ spec }) => {
  const wanted = spec.placement?.machineID ?? readXFleet(spec.content).get('MachineID')?.at(-1)
  if (!wanted) return undefined
  return ({ status }) => (status?.machineID === wanted ? undefined : `not machine ${wanted}`)
}
