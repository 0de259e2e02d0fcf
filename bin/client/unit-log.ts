/** The newest lines of one unit's log, for a status. */
import type { Unit } from '../../crds/unit.ts'
import type { Api } from './api.ts'
import { describeFailure } from './failure.ts'
import { holderOf } from './instances.ts'
import { type JournalLine, readSource } from './journal-source.ts'

export interface UnitLog {
  readonly lines: readonly JournalLine[]
  /** Why there are none, or not all. */
  readonly problem?: string
}

/** A status without its log is still one: the machine may be what is wrong. Rejects with the signal's reason alone. */
export async function newestOf(api: Api, unit: Readonly<Unit>, lines: number, signal: AbortSignal): Promise<UnitLog> {
  const machine = holderOf(unit)
  const found: JournalLine[] = []
  if (machine === undefined || lines === 0) return { lines: found }
  const source = { unit: unit.metadata.name, machine, cursor: undefined, notBeforeUs: 0 }
  try {
    for await (const batch of readSource(api, source, { follow: false, lines, signal, onNotice: () => {} }))
      found.push(...batch)
    return { lines: found }
  } catch (error) {
    signal.throwIfAborted()
    return { lines: found, problem: describeFailure(error) }
  }
}
