/**
 * Where counting goes on after a restore (design D3): every later revision exceeds every earlier one, also those that were
 * given out after the backup was taken and are lost now, and those of another restore of the same backup. Nobody knows
 * how many those were, so more are left out than can have been: etcd's own advice for `--bump-revision`, and for each
 * second of the backup's age more than any store here commits. Revisions stay far below 2^53, JavaScript's limit.
 */
import type { Revision } from '../store.ts'
import type { SnapshotInfo } from './file.ts'

export const RESTORE_GAP: Revision = 1_000_000_000n
const MAX_WRITES_PER_SECOND = 100_000

/** The revision that all later ones must exceed. */
export function floorAfter(
  { revision, takenAtMs }: Pick<SnapshotInfo, 'revision' | 'takenAtMs'>,
  nowMs: number,
): Revision {
  const ageS = Math.max(0, Math.ceil((nowMs - takenAtMs) / 1_000))
  return revision + RESTORE_GAP + BigInt(ageS * MAX_WRITES_PER_SECOND)
}
