import { findCondition } from '../../lib/conditions.ts'
import type { MachineRule } from './rule.ts'

/** Only a machine whose agent says it is ready gets units. */
export const ready: MachineRule = ({ status }) => {
  const condition = findCondition(status?.conditions, 'Ready')
  if (condition?.status === 'True') return undefined
  return condition ? `not ready (${condition.reason})` : 'not ready (its agent has not reported yet)'
}
