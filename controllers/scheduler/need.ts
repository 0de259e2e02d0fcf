/** What a unit needs from the scheduler by itself, whatever the machines say. */
import type { Unit } from '../../crds/unit.ts'
import { isTemplate } from '../../crds/unit-name.ts'
import { isBoundByOwner, isParent } from '../../crds/unit-set.ts'
import { isSupportUnsaid } from './conditions.ts'

export type Need = 'place' | 'unbind' | 'explain'

/** Undefined: nothing. */
export function needOf(unit: Readonly<Unit>): Need | undefined {
  const { metadata, spec } = unit
  if (metadata.deletionTimestamp) return undefined
  if (!isBoundByOwner(unit)) {
    const isWanted = spec.desiredState !== 'inactive' && !isParent(unit)
    if (!isWanted && spec.machineName) return 'unbind'
    if (spec.desiredState === 'inactive') return undefined
    if (isWanted && !spec.machineName && !isTemplate(spec.unitName ?? metadata.name)) return 'place'
  }
  return isSupportUnsaid(unit) ? 'explain' : undefined
}

/** Its binding is ours to change. A child that its owner has bound (Global, D1) is the owner's. */
export function isHeldToRules(unit: Readonly<Unit>): boolean {
  const { metadata, spec } = unit
  if (metadata.deletionTimestamp || spec.desiredState === 'inactive' || !spec.machineName) return false
  return !isBoundByOwner(unit) && !isParent(unit)
}
