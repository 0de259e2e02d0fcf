import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'

/** Objects as the API would give them, with just what a test is about. */

export interface MachineFacts {
  readonly ready?: 'True' | 'False' | 'Unknown' | 'unreported'
  readonly reason?: string
  readonly spec?: Machine['spec']
  readonly machineID?: string
}

export function machine(
  name: string,
  { ready = 'True', reason = 'AgentReady', spec, machineID }: MachineFacts = {},
): Machine {
  const condition = { type: 'Ready', reason, message: 'said by a test', lastTransitionTime: '2026-01-01T00:00:00Z' }
  return {
    apiVersion: 'flotilla.dev/v1',
    kind: 'Machine',
    metadata: { name, resourceVersion: '1' },
    ...(spec ? { spec } : {}),
    status: {
      ...(machineID === undefined ? {} : { machineID }),
      ...(ready === 'unreported' ? {} : { conditions: [{ ...condition, status: ready }] }),
    },
  }
}

export interface UnitFacts {
  readonly spec?: Partial<Unit['spec']>
  readonly status?: Unit['status']
  readonly metadata?: Partial<Unit['metadata']>
}

export function unit(name: string, { spec, status, metadata }: UnitFacts = {}): Unit {
  return {
    apiVersion: 'flotilla.dev/v1',
    kind: 'Unit',
    metadata: { name, resourceVersion: '1', ...metadata },
    spec: { desiredState: 'launched', content: '[Service]\nExecStart=/bin/true\n', failover: 'reschedule', ...spec },
    ...(status ? { status } : {}),
  }
}
