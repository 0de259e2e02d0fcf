/** What the agent knows between two rounds. Only the reconciler and its parts touch it; bounded by the units of a machine. */
import type { Unit } from '../../crds/unit.ts'
import type { ObservedUnit } from './driver.ts'
import type { UnitRecord } from './plan.ts'

export interface Refusal {
  /** The spec that was refused; another one is tried at once. */
  readonly key: string
  readonly text: string
  /** False when it would not stop or go away: that says nothing about whether it can run. */
  readonly isAboutRunning: boolean
  readonly attempts: number
  readonly retryAtMs: number
}

export interface Memory {
  /** Uid to the object on disk. */
  readonly copies: Map<string, Readonly<Unit>>
  readonly records: Map<string, UnitRecord>
  /** Unit name to hash of content. */
  readonly installed: Map<string, string>
  readonly observed: Map<string, ObservedUnit>
  /** Unit names whose observed state may be old. */
  readonly dirty: Set<string>
  /** Everything may have changed: look at all again. */
  isStale: boolean
  readonly refusals: Map<string, Refusal>
  /** Uids with a claim or a release on its way. */
  readonly busy: Set<string>
  /** Uid to the time of a start after which it has not been seen doing anything yet. */
  readonly justStarted: Map<string, number>
  /** Forgets `justStarted` of everything that was seen other than inactive. */
  sawRunning(): void
}

export function createMemory(
  copies: ReadonlyMap<string, Readonly<Unit>>,
  records: ReadonlyMap<string, UnitRecord>,
): Memory {
  const memory: Memory = {
    copies: new Map(copies),
    records: new Map(records),
    installed: new Map(),
    observed: new Map(),
    dirty: new Set(),
    isStale: true,
    refusals: new Map(),
    busy: new Set(),
    justStarted: new Map(),
    sawRunning: () => {
      for (const uid of memory.justStarted.keys()) {
        const record = memory.records.get(uid)
        const seen = record && memory.observed.get(record.unitName)
        if (record === undefined || (seen && seen.activeState !== 'inactive')) memory.justStarted.delete(uid)
      }
    },
  }
  return memory
}
