/**
 * The agent's words to the API about who holds a unit (D6). Each is one JSON patch that carries its own proof: the tests in
 * it fail when the world has moved on, and then nothing was said.
 */
import { setCondition } from '../../controllers/lib/conditions.ts'
import type { Unit } from '../../crds/unit.ts'
import { isExclusive } from './fence/exclusive.ts'

export interface PatchOperation {
  readonly op: 'test' | 'add' | 'remove' | 'replace'
  readonly path: string
  readonly value?: unknown
}

/**
 * Takes a unit that is placed here and held by nobody, or an exclusive one again. `test` on a path that is absent fails, so
 * what the object lacked is proved by its resourceVersion instead; of an exclusive one everything is. That version, older
 * than the claim and younger than any claim before it, is its fencing token.
 */
export function claimPatch(unit: Readonly<Unit>, machineName: string, now: Date): PatchOperation[] {
  const { status, metadata } = unit
  const isFenced = isExclusive(unit)
  const token = isFenced ? { fencingToken: metadata.resourceVersion } : {}
  const scheduled = {
    type: 'Scheduled',
    status: 'True' as const,
    reason: 'Bound',
    message: `placed on ${machineName}`,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  }
  const conditions = setCondition(status?.conditions, scheduled, now)
  const placed: PatchOperation = { op: 'test', path: '/spec/machineName', value: machineName }
  const unheld: PatchOperation =
    status?.machineName === '' && !isFenced
      ? { op: 'test', path: '/status/machineName', value: '' }
      : { op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion }
  if (status === undefined)
    return [placed, unheld, { op: 'add', path: '/status', value: { machineName, conditions, ...token } }]
  return [
    placed,
    unheld,
    { op: 'add', path: '/status/machineName', value: machineName },
    { op: 'add', path: '/status/conditions', value: conditions },
    ...(isFenced ? [{ op: 'add' as const, path: '/status/fencingToken', value: metadata.resourceVersion }] : []),
  ]
}

/** Gives a unit back after its stop: the holder and what the machine said of it go together. */
export function releasePatch(unit: Readonly<Unit>, machineName: string, now: Date): PatchOperation[] {
  const { status, metadata } = unit
  const active = {
    type: 'Active',
    status: 'False' as const,
    reason: 'Stopped',
    message: `stopped on ${machineName}`,
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  }
  return [
    { op: 'test', path: '/status/machineName', value: machineName },
    { op: 'test', path: '/metadata/resourceVersion', value: metadata.resourceVersion },
    { op: 'add', path: '/status/conditions', value: setCondition(status?.conditions, active, now) },
    { op: 'add', path: '/status/currentState', value: 'inactive' },
    ...(status?.systemd === undefined ? [] : [{ op: 'remove' as const, path: '/status/systemd' }]),
    ...(status?.hash === undefined ? [] : [{ op: 'remove' as const, path: '/status/hash' }]),
    ...(status?.fencingToken === undefined ? [] : [{ op: 'remove' as const, path: '/status/fencingToken' }]),
    { op: 'remove', path: '/status/machineName' },
  ]
}
