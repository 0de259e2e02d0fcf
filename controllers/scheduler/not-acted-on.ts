/**
 * What a unit asks for and nobody acts on yet. It is said in a condition, by field, so that nobody believes in a rule
 * that is not kept. Where ignoring the field would put the unit in a forbidden place, the unit waits instead.
 */
import type { Unit } from '../../crds/unit.ts'
import { readXFleet } from './x-fleet.ts'

export interface NotActedOn {
  /** Fields, sorted: `spec.placement.conflicts`, `[X-Fleet] Conflicts`, … */
  readonly fields: readonly string[]
  /** The unit must not be placed until they are acted on. */
  readonly waits: boolean
}

type Spec = Readonly<Unit['spec']>

/** Ignoring these changes where the unit may be, or what it is. */
const WAITS_PLACEMENT = ['machineMetadata', 'conflicts', 'replaces', 'machineSelector', 'maxPerMachine']
const WAITS_X_FLEET = ['MachineMetadata', 'Conflicts', 'Replaces', 'Global']
/** Ignoring these loses a preference, or is the agent's to say. */
const OTHER_PLACEMENT = ['preferred', 'spread', 'tolerations']
const OTHER_SPEC = ['resources', 'environment', 'credentials', 'dropIns']

const memo = new WeakMap<Spec, NotActedOn>()

/** Remembered by spec object: informers never change an object in place. */
export function notActedOn(spec: Spec): NotActedOn {
  let known = memo.get(spec)
  if (!known) {
    known = look(spec)
    memo.set(spec, known)
  }
  return known
}

function look(spec: Spec): NotActedOn {
  const xFleet = readXFleet(spec.content)
  const waiting = [
    ...(spec.replicas === undefined ? [] : ['spec.replicas']),
    ...(spec.placement?.global ? ['spec.placement.global'] : []),
    ...WAITS_PLACEMENT.filter((f) => isGiven(spec.placement, f)).map((f) => `spec.placement.${f}`),
    ...WAITS_X_FLEET.filter((o) => isOn(o, xFleet.get(o))).map((o) => `[X-Fleet] ${o}`),
  ]
  const others = [
    ...OTHER_PLACEMENT.filter((f) => isGiven(spec.placement, f)).map((f) => `spec.placement.${f}`),
    ...OTHER_SPEC.filter((f) => isGiven(spec, f)).map((f) => `spec.${f}`),
    ...(spec.failover === 'exclusive' ? ['spec.failover=exclusive'] : []),
  ]
  return { fields: [...waiting, ...others].toSorted(), waits: waiting.length > 0 }
}

function isOn(option: string, values: readonly string[] | undefined): boolean {
  if (!values) return false
  return option !== 'Global' || values.some((value) => /^(true|yes|1|on)$/i.test(value))
}

/** Present, and not merely an empty list or object. */
function isGiven(owner: object | undefined, field: string): boolean {
  const value = (owner as Record<string, unknown> | undefined)?.[field]
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : value !== undefined
}
