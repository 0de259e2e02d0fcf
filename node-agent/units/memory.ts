/** What the agent knows between two rounds. Only the reconciler and its parts touch it; bounded by the units of a machine. */
import type { Unit } from '../../crds/unit.ts'
import type { ObservedUnit } from './driver.ts'
import { createHints, type Hints } from './hints.ts'
import type { Installed, UnitRecord } from './plan.ts'

/** A start that was not seen doing anything for so long has ended already. */
export const START_SHOWS_WITHIN_MS = 300

export interface Refusal {
  /** The spec that was refused; another one is tried at once. */
  readonly key: string
  readonly text: string
  /** False when it would not stop or go away: that says nothing about whether it can run. */
  readonly isAboutRunning: boolean
  /** Its file was taken; what the start lacked may come by itself. */
  readonly atStart: boolean
  readonly attempts: number
  readonly retryAtMs: number
}

export interface Memory {
  /** Uid to the object on disk. */
  readonly copies: Map<string, Readonly<Unit>>
  readonly records: Map<string, UnitRecord>
  /** By unit name. */
  readonly installed: Map<string, Installed>
  readonly observed: Map<string, ObservedUnit>
  /** Unit names whose observed state may be old. */
  readonly dirty: Set<string>
  /** What the manager tells about units comes in through here. */
  readonly hints: Hints
  /** Everything may have changed: look at all again. */
  isStale: boolean
  readonly refusals: Map<string, Refusal>
  /** Uids with a claim or a release on its way. */
  readonly busy: Set<string>
  /** Uid to the time of a start after which it has not been seen doing anything yet. */
  readonly justStarted: Map<string, number>
  /** How many files have come since the agent began. */
  installs: number
  /** Uid to the number of files that had come when it was started. */
  readonly startedAfter: Map<string, number>
  /** Forgets `justStarted` of what was seen other than inactive, and of what has had its time to be seen so. */
  endStarts(nowMs: number): void
}

export function createMemory(
  copies: ReadonlyMap<string, Readonly<Unit>>,
  records: ReadonlyMap<string, UnitRecord>,
  { wake, signal }: { readonly wake: () => void; readonly signal: AbortSignal },
): Memory {
  const onDue = (names: readonly string[]): void => {
    if (names.includes('')) memory.isStale = true
    for (const name of names) memory.dirty.add(name)
    wake()
  }
  const memory: Memory = {
    copies: new Map(copies),
    records: new Map(records),
    installed: new Map(),
    observed: new Map(),
    dirty: new Set(),
    hints: createHints({ onDue, signal }),
    isStale: true,
    refusals: new Map(),
    busy: new Set(),
    justStarted: new Map(),
    installs: 0,
    startedAfter: new Map(),
    endStarts: (nowMs) => {
      for (const [uid, startedMs] of memory.justStarted) {
        const record = memory.records.get(uid)
        const isIdle =
          record !== undefined && (memory.observed.get(record.unitName)?.activeState ?? 'inactive') === 'inactive'
        if (!isIdle || nowMs - startedMs >= START_SHOWS_WITHIN_MS) memory.justStarted.delete(uid)
      }
    },
  }
  return memory
}
