/** What a Machine's status says, and whether it has to be said again: pure. */
import { isDeepStrictEqual } from 'node:util'
import { setCondition } from '../../controllers/lib/conditions.ts'
import type { Machine } from '../../crds/machine.ts'
import type { Condition } from '../../crds/metadata.ts'
import type { UnitDriver } from '../units/driver.ts'
import type { Facts } from './facts.ts'

type Status = NonNullable<Machine['status']>

export interface MachineSight {
  readonly facts: Facts
  readonly agentVersion: string
  readonly driver: UnitDriver['kind']
  /** Why the unit manager cannot be reached; undefined when it can. */
  readonly trouble: string | undefined
  /** Where this agent's own door is; undefined when it has none. */
  readonly door: { readonly address: string; readonly port: number } | undefined
}

/** The fields that differ from `before`, ready for a merge patch; undefined when the status says all this already. */
export function statusChange(
  machine: Pick<Machine, 'status' | 'metadata'>,
  sight: MachineSight,
  now: Date,
): Partial<Status> | undefined {
  const before: Status = machine.status ?? {}
  const wanted: Partial<Status> = {
    ...sight.facts,
    agentVersion: sight.agentVersion,
    unitDriver: sight.driver,
    ...(sight.door === undefined ? {} : { agent: sight.door }),
    ...(machine.metadata.generation === undefined ? {} : { observedGeneration: machine.metadata.generation }),
    conditions: conditionsOf(before.conditions, sight, machine.metadata.generation, now),
  }
  const changed = Object.entries(wanted).filter(
    ([field, value]) => !isDeepStrictEqual(value, before[field as keyof Status]),
  )
  return changed.length === 0 ? undefined : Object.fromEntries(changed)
}

function conditionsOf(
  before: readonly Condition[] | undefined,
  { driver, trouble }: MachineSight,
  generation: number | undefined,
  now: Date,
): Condition[] {
  const about = generation === undefined ? {} : { observedGeneration: generation }
  const systemd = { type: 'SystemdReady', ...about, ...systemdReady(driver, trouble) }
  const ready =
    trouble === undefined
      ? { status: 'True' as const, reason: 'AgentReady', message: 'the agent answers and can run units' }
      : { status: 'False' as const, reason: 'DriverUnavailable', message: `cannot run units: ${trouble}` }
  return setCondition(setCondition(before, { type: 'Ready', ...about, ...ready }, now), systemd, now)
}

function systemdReady(driver: UnitDriver['kind'], trouble: string | undefined) {
  if (trouble !== undefined) return { status: 'False' as const, reason: 'Unreachable', message: trouble }
  if (driver === 'system') return { status: 'True' as const, reason: 'SystemManager', message: 'systemd answers' }
  if (driver === 'user')
    return { status: 'True' as const, reason: 'UserManager', message: "the user's systemd answers" }
  const message = 'no systemd here: services run as child processes of the agent'
  return { status: 'False' as const, reason: 'ProcessDriver', message }
}
