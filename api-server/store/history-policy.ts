/**
 * Which part of the history may go. Policy: keep what is younger than `historyMaxAgeMs`, and beyond that age the newest
 * `historyMaxChanges` transactions, but nothing older than an hour; ten times `historyMaxChanges` is the bound even for
 * the young, so that a storm of writes cannot fill the disk with history.
 */
import type { Revision } from './store.ts'

export interface HistoryPolicy {
  readonly historyMaxChanges: number
  readonly historyMaxAgeMs: number
}

/** "At `timeMs` the newest revision was `revision`." */
export interface Sample {
  readonly revision: Revision
  readonly timeMs: number
}

export const HISTORY_NEVER_LATER_THAN_MS = 3_600_000
const STORM_FACTOR = 10

/** Newest revision of which it is certain that it was current `ageMs` ago; samples are in order of revision. */
function revisionBefore(samples: readonly Sample[], timeMs: number): Revision {
  return samples.findLast((sample) => sample.timeMs <= timeMs)?.revision ?? 0n
}

function smaller(a: Revision, b: Revision): Revision {
  return a < b ? a : b
}

/** The revision up to which the policy lets history go (0: none). */
export function compactionTarget(
  { historyMaxChanges, historyMaxAgeMs }: HistoryPolicy,
  samples: readonly Sample[],
  { revision, nowMs }: { readonly revision: Revision; readonly nowMs: number },
): Revision {
  const old = revisionBefore(samples, nowMs - historyMaxAgeMs)
  const beyond = revision - BigInt(historyMaxChanges)
  const targets = [
    smaller(old, beyond),
    revisionBefore(samples, nowMs - HISTORY_NEVER_LATER_THAN_MS),
    revision - BigInt(historyMaxChanges * STORM_FACTOR),
  ]
  return targets.reduce((a, b) => (a > b ? a : b), 0n)
}
