/**
 * What keeps an exclusive unit from running twice (D8, docs/decisions/0023): the machine's own manager stops it when the
 * machine's lease is about to run out, whether the agent is alive or not.
 *
 * Contract of a driver's fence:
 * - While nobody extends it, nothing exclusive runs and nothing exclusive can be started, by whomever.
 * - `extend` is one message, and its deadline is a moment, not a duration: however late it arrives, nothing runs longer.
 * - A gate stands before each exclusive unit. All gates close when the fence falls; extending it opens none of them.
 */
export interface Fence {
  /** Makes the manager know the fence. What an earlier agent extended holds on, but no longer than a lease from now. */
  prepare(): Promise<void>
  /** Exclusive units may run until `untilUs` of the machine's monotonic clock. Rejects when that is not sure. */
  extend(untilUs: number): Promise<void>
  /** Lets the unit be started. The manager's refusal in its words: the fence has fallen. */
  open(uid: string): Promise<string | undefined>
  /** Stops the unit, if it runs, and lets nobody start it. */
  close(uid: string): Promise<void>
  /** Uids of the units whose gates are open. */
  openGates(): Promise<ReadonlySet<string>>
}

export interface FenceTimes {
  /** From when a renewal was sent until what it allowed is stopped. */
  readonly stopAfterMs: number
  /** What a unit gets to end by itself. */
  readonly graceMs: number
  /** How late the manager's timers may be. */
  readonly accuracyMs: number
}

/** Eighths of the lease: 6 s, 1 s and 0.1 s of 8 s, so that all is over 0.9 s before anybody may take the unit. */
export function fenceTimes(leaseDurationMs: number): FenceTimes {
  return {
    stopAfterMs: (leaseDurationMs * 6) / 8,
    graceMs: leaseDurationMs / 8,
    accuracyMs: leaseDurationMs / 80,
  }
}
