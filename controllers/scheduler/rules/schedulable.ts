import type { MachineRule } from './rule.ts'

/** A cordoned machine keeps what it has and gets nothing new; a machine that is being deleted likewise. */
export const schedulable: MachineRule = ({ spec, metadata }) => {
  if (metadata.deletionTimestamp) return 'being deleted'
  return spec?.unschedulable ? 'cordoned' : undefined
}
