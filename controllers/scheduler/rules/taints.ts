import type { MachineRule } from './rule.ts'

/** Tolerations are not acted on yet, so a taint that forbids keeps everything away. */
export const taints: MachineRule = ({ spec }) => {
  const forbidding = spec?.taints?.find(({ effect }) => effect !== 'PreferNoSchedule')
  return forbidding && `tainted ${forbidding.key}${forbidding.value ? `=${forbidding.value}` : ''}:${forbidding.effect}`
}
