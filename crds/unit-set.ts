/** Which Units stand for several: those with `replicas`, and Global ones. Their instances are child Units (D1). */
import type { Metadata } from './kind.ts'
import { readXFleet } from './x-fleet.ts'

interface SpecLike {
  readonly content?: string
  readonly replicas?: number | undefined
  readonly placement?: { readonly global?: boolean | undefined } | undefined
}
interface UnitLike {
  readonly metadata: Readonly<Metadata>
  readonly spec: SpecLike
}

/** On every instance: the name of its parent. What is orphaned stays one unit, although its file may say Global. */
export const INSTANCE_OF = 'flotilla.dev/instance-of'

const memo = new WeakMap<SpecLike, boolean>()

/** Asked for in the file or in the fields. Remembered by spec object: informers never change one in place. */
export function isGlobal(spec: SpecLike): boolean {
  let known = memo.get(spec)
  if (known === undefined) {
    known = spec.placement?.global === true || readXFleet(spec.content ?? '').global
    memo.set(spec, known)
  }
  return known
}

/** The uid of the Unit whose instance it is. */
export function parentUid({ metadata }: Pick<UnitLike, 'metadata'>): string | undefined {
  return metadata.ownerReferences?.find(
    ({ controller, kind, apiVersion }) => controller && kind === 'Unit' && apiVersion.startsWith('flotilla.dev/'),
  )?.uid
}

/** It is never bound itself. An instance is never a parent: it has the file of its parent, Global and all. */
export function isParent(unit: UnitLike): boolean {
  const isInstance = parentUid(unit) !== undefined || unit.metadata.annotations?.[INSTANCE_OF] !== undefined
  return !isInstance && (unit.spec.replicas !== undefined || isGlobal(unit.spec))
}

/** An instance of a Global unit is bound by the unit-set controller, and by nobody else. */
export function isBoundByOwner(unit: UnitLike): boolean {
  return parentUid(unit) !== undefined && isGlobal(unit.spec)
}
