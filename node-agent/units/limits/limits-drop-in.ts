/**
 * `spec.resources.limits` as a drop-in. systemd puts changed limits of a running unit in force at the reload that follows
 * any changed file, without touching its processes; a limit that is taken away leaves what the unit's own file says.
 */
import { quantityNumber } from '../../../crds/quantity.ts'
import { type Limits, unlimitable } from '../../../crds/unit-limits.ts'
import type { GeneratedDropIn } from '../render/render-unit.ts'
import { splitUnitName } from '../unit-name.ts'

export const LIMITS_DROP_IN = 'zz-flotilla-limits.conf'

/** Nothing for a unit without limits, and for one that can have none (`unlimitable`). */
export function limitsDropIn(unitName: string, limits: Limits | undefined): readonly GeneratedDropIn[] {
  const lines = [
    ...line('CPUQuota', limits?.cpu, (processors) => `${percent(processors)}%`),
    ...line('MemoryMax', limits?.memory, wholeNumber),
    ...line('TasksMax', limits?.tasks, wholeNumber),
  ]
  if (lines.length === 0 || unlimitable(unitName) !== undefined) return []
  return [{ name: LIMITS_DROP_IN, content: `[${sectionOf(unitName)}]\n${lines.join('')}` }]
}

function line(option: string, quantity: string | number | undefined, write: (value: number) => string): string[] {
  return quantity === undefined ? [] : [`${option}=${write(quantityNumber(quantity))}\n`]
}

/** systemd reads two digits behind the point, and no quota at all is none. */
function percent(processors: number): number {
  return Math.max(0.01, Math.round(processors * 10_000) / 100)
}

/** A large number has an exponent in JavaScript; systemd wants digits. */
function wholeNumber(value: number): string {
  return BigInt(Math.floor(Math.min(value, Number.MAX_SAFE_INTEGER))).toString()
}

function sectionOf(unitName: string): string {
  const { type } = splitUnitName(unitName)
  return `${type.charAt(0).toUpperCase()}${type.slice(1)}`
}
