/** What each instance is to be. Its spec is its parent's; a few fields say what the parent is, and stay with it. */
import { isDeepStrictEqual } from 'node:util'
import type { Unit } from '../../crds/unit.ts'
import { isGlobal } from '../../crds/unit-set.ts'
import { instanceName } from './names.ts'

export type Spec = Unit['spec']

export interface Instance {
  /** A number, or the name of a machine. */
  readonly key: string
  readonly name: string
  /** Whole, but for the binding of a replica, which is the scheduler's. */
  readonly spec: Spec
}

const ROLLED = ['content', 'dropIns', 'environment', 'credentials', 'placement'] as const

/** `keys`: numbers of replicas, or machines that a Global unit is to be on. */
export function instancesOf(parent: Readonly<Unit>, keys: readonly string[]): Instance[] {
  const { replicas: _r, maxUnavailable: _u, minReadySeconds: _s, template: _t, machineName: _n, ...rest } = parent.spec
  const { unitName, ...shared } = rest
  const global = isGlobal(parent.spec)
  const { name } = parent.metadata
  return keys.map((key) => ({
    key,
    name: instanceName(name, key),
    spec: global
      ? { ...shared, failover: staying(shared.failover), unitName: unitName ?? name, machineName: key }
      : { ...shared, ...(unitName === undefined ? {} : { unitName: instanceName(unitName, key) }) },
  }))
}

/** An instance of a Global unit belongs to its machine: it waits for it, and goes when the Machine does. */
function staying(failover: Spec['failover']): Spec['failover'] {
  return failover === 'reschedule' ? 'none' : failover
}

/** Changes of these restart or move an instance, so they go from one to the next; all others are for all at once. */
export function hasNewest(spec: Readonly<Spec>, wanted: Readonly<Spec>): boolean {
  return ROLLED.every((field) => spec[field] === wanted[field] || isDeepStrictEqual(spec[field], wanted[field]))
}

/** `wanted`, with what rolls and the binding as they are in `spec`. */
export function withoutRoll(spec: Readonly<Spec>, wanted: Readonly<Spec>): Spec {
  const merged: Record<string, unknown> = { ...wanted }
  for (const field of ROLLED) {
    delete merged[field]
    if (spec[field] !== undefined) merged[field] = spec[field]
  }
  return withBinding(spec, merged as Spec)
}

/** `wanted` where it is: the binding of a replica is not ours. */
export function withBinding(spec: Readonly<Spec>, wanted: Readonly<Spec>): Spec {
  if (wanted.machineName !== undefined || spec.machineName === undefined) return wanted
  return { ...wanted, machineName: spec.machineName }
}
