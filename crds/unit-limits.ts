/** `spec.resources.limits`: which quantities make sense, and of which units. */
import type { Violation } from './kind.ts'
import { quantityNumber } from './quantity.ts'
import { parseUnitName } from './unit-name.ts'

export const LIMITS = ['cpu', 'memory', 'tasks'] as const
export type Limit = (typeof LIMITS)[number]
export type Limits = { readonly [limit in Limit]?: string | number | undefined }

/** The types whose units have processes of their own, hence a control group to be limited (systemd.resource-control(5)). */
const LIMITABLE = new Set(['service', 'socket', 'mount', 'swap', 'slice', 'scope'])
/** systemd's own least values: a hundredth of a percent, a page, one task. */
const LEAST: Readonly<Record<Limit, number>> = { cpu: 0.0001, memory: 4096, tasks: 1 }

/** Why a unit of this name can have no limits at all, in one sentence; undefined when it can. */
export function unlimitable(unitName: string): string | undefined {
  const { type } = parseUnitName(unitName)
  if (LIMITABLE.has(type)) return undefined
  return `a ${type} unit has no processes of its own to limit: give limits to the unit that has`
}

/** Limits that systemd would not take, or that could not mean anything. */
export function checkLimits(unitName: string, limits: Limits | undefined): Violation[] {
  const given = LIMITS.filter((limit) => limits?.[limit] !== undefined)
  const path = ['spec', 'resources', 'limits']
  const wrong = given.length > 0 ? unlimitable(unitName) : undefined
  if (wrong !== undefined) return [{ path, message: wrong }]
  return given.flatMap((limit) => {
    const value = quantityNumber(limits?.[limit] ?? '')
    return value >= LEAST[limit]
      ? []
      : [{ path: [...path, limit], message: `must be at least ${LEAST[limit]}`, reason: 'FieldValueInvalid' as const }]
  })
}
