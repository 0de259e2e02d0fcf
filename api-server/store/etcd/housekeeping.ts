/**
 * Compaction by itself, by the same policy as the embedded store's. When which revision was current is known from the
 * heads that pass by, so nothing is written for it. Several servers may do it at once: etcd's compaction only goes on.
 */
import type { Logger } from 'pino'
import { compactionTarget, type HistoryPolicy, type Sample } from '../history-policy.ts'
import type { Revision } from '../store.ts'
import type { Head } from './layout.ts'

export interface HousekeepingDeps {
  readonly policy: HistoryPolicy
  readonly log: Pick<Logger, 'info' | 'warn'> | undefined
  readonly now: () => number
  readonly revision: () => Revision
  readonly compacted: () => Revision
  readonly compact: (before: Revision) => Promise<void>
}

export interface Housekeeping {
  note(head: Pick<Head, 'timeMs'>, revision: Revision): void
  /** Compacts what the policy lets go, now. */
  tidy(): Promise<void>
  stop(): void
}

const ROUND_MS = 30_000
const SAMPLE_MS = 10_000

export function housekeeping({ policy, log, now, revision, compacted, compact }: HousekeepingDeps): Housekeeping {
  let samples: Sample[] = []

  /** A server whose clock is behind must not make newer revisions look older. */
  function note({ timeMs }: Pick<Head, 'timeMs'>, at: Revision): void {
    const last = samples.at(-1)
    if (last !== undefined && timeMs - last.timeMs < SAMPLE_MS) return
    samples.push({ revision: at, timeMs })
  }

  async function tidy(): Promise<void> {
    const target = compactionTarget(policy, samples, { revision: revision(), nowMs: now() })
    if (target <= compacted()) return
    const before = compacted()
    await compact(target)
    samples = samples.filter((sample) => sample.revision >= target)
    log?.info({ before, target }, 'history compacted')
  }

  let tidying = false
  async function round(): Promise<void> {
    if (tidying) return
    tidying = true
    await tidy().catch((error: unknown) => log?.warn({ err: error }, 'history could not be compacted and stays longer'))
    tidying = false
  }
  const timer = setInterval(() => void round(), ROUND_MS).unref()
  return { note, tidy, stop: () => clearInterval(timer) }
}
