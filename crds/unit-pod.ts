/**
 * A Unit as a Pod, for `kubectl drain`, which moves pods. Nothing of it is stored, and nobody else is shown it. Pure.
 */
import type { ApiObject } from './kind.ts'
import type { Unit } from './unit.ts'

/** Where such pods seem to be. */
export const UNIT_PODS = 'flotilla-units'

/** Undefined where it is on no machine. Another machine makes another pod of it, by its uid. */
export function podOf(unit: Readonly<Unit>): ApiObject | undefined {
  const { apiVersion, kind, metadata, spec, status } = unit
  const machine = status?.machineName || spec.machineName
  if (!machine) return undefined
  const { name, uid = '', creationTimestamp, resourceVersion, labels } = metadata
  const owner = { apiVersion, kind, name, uid, controller: true }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name, namespace: UNIT_PODS, uid: `${uid}.${machine}`, ownerReferences: [owner] },
      ...(creationTimestamp && { creationTimestamp }),
      ...(resourceVersion && { resourceVersion }),
      ...(labels && { labels }),
    },
    spec: { nodeName: machine, containers: [] },
    status: { phase: 'Running' },
  }
}
