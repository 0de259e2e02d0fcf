import { readXFleet } from '../x-fleet.ts'
import type { UnitRuleOf } from './rule.ts'

/** MachineOf: only where every named unit is placed, whatever its state there (as fleet did). */
export const machineOf: UnitRuleOf = ({ spec }, placed) => {
  const peers = [...(spec.placement?.machineOf ?? []), ...(readXFleet(spec.content).get('MachineOf') ?? [])]
  if (peers.length === 0) return undefined
  return ({ metadata }) => {
    const elsewhere = peers.find((peer) => placed(peer) !== metadata.name)
    if (elsewhere === undefined) return undefined
    const machine = placed(elsewhere)
    return machine ? `${elsewhere} is on ${machine}` : `${elsewhere} is not placed`
  }
}
