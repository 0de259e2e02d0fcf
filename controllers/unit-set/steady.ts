/**
 * For how long instances have been well. systemd calls a plain service active before its program has run, so one moment
 * of it proves nothing. In memory alone: who takes over counts anew, which makes a roll slower, never bolder.
 */
import type { Unit } from '../../crds/unit.ts'
import type { Clock } from '../lib/clock.ts'
import { isSettled } from './health.ts'

export interface Steady {
  /** How long each of a set's instances has done what it is asked to, without a restart; 0 for one that does not. */
  look(parent: string, children: readonly Readonly<Unit>[]): (child: Readonly<Unit>) => number
  forget(parent: string): void
}

interface Since {
  readonly run: string
  readonly ms: number
}

export function createSteady(clock: Clock): Steady {
  const sets = new Map<string, ReadonlyMap<string, Since>>()
  return {
    look: (parent, children) => {
      const before = sets.get(parent)
      const nowMs = clock.monotonicMs()
      const well = new Map<string, Since>()
      for (const child of children) {
        if (!isSettled(child)) continue
        const run = runOf(child)
        const known = before?.get(child.metadata.name)
        well.set(child.metadata.name, known?.run === run ? known : { run, ms: nowMs })
      }
      sets.set(parent, well)
      return ({ metadata }) => nowMs - (well.get(metadata.name)?.ms ?? nowMs)
    },
    forget: (parent) => void sets.delete(parent),
  }
}

function runOf({ metadata, status }: Readonly<Unit>): string {
  return [metadata.uid, metadata.generation, status?.systemd?.mainPID, status?.systemd?.restarts].join(' ')
}

/** Unless `minReadySeconds` says otherwise: what falls over at once has done so by then. */
const MIN_READY_MS = 500

export function minReadyMsOf({ spec }: Readonly<Unit>): number {
  return spec.minReadySeconds === undefined ? MIN_READY_MS : spec.minReadySeconds * 1_000
}

/** When the next of those that are well will have been so for long enough; undefined where all have, or none is. */
export function untilSteadyMs({
  parent,
  children,
  wellForMs,
}: {
  readonly parent: Readonly<Unit>
  readonly children: readonly Readonly<Unit>[]
  readonly wellForMs: (child: Readonly<Unit>) => number
}): number | undefined {
  const enoughMs = minReadyMsOf(parent)
  const left = children.filter(isSettled).map((child) => enoughMs - wellForMs(child))
  const due = left.filter((ms) => ms > 0)
  return due.length > 0 ? Math.min(...due) : undefined
}
