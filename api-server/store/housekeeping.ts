/** Compaction by itself: notes from time to time which revision is current, and lets history go as the policy says. */
import type { Logger } from 'pino'
import { type CompactionDeps, compactStep, readSamples, recordSample } from './compaction.ts'
import type { GroupCommit } from './group-commit.ts'
import { compactionTarget, type HistoryPolicy, type Sample } from './history-policy.ts'
import type { Revision } from './store.ts'

export interface HousekeepingDeps extends CompactionDeps {
  readonly group: GroupCommit
  readonly policy: HistoryPolicy
  readonly log: Pick<Logger, 'info' | 'warn'> | undefined
  /** Milliseconds since 1970; ages must survive a restart. */
  readonly now: () => number
}

export interface Housekeeping {
  /** Forgets what lies before `target`, now. */
  compact(target: Revision, signal?: AbortSignal): Promise<void>
  /** One round: a sample where one is due, then what the policy asks for. */
  tidy(): Promise<void>
  stop(): void
}

const ROUND_MS = 5_000
const SAMPLE_MS = 10_000

export function housekeeping(deps: HousekeepingDeps): Housekeeping {
  const { tables, reader, writer, group, policy, log, now } = deps
  let samples: readonly Sample[] = readSamples(tables)

  async function compact(target: Revision, signal?: AbortSignal): Promise<void> {
    if (target <= reader.compacted) return
    // First of all nobody may read there any more; the rows go afterwards, a page between two batches of writes.
    reader.compacted = target
    while (!(await group.between(() => compactStep(deps, target)))) signal?.throwIfAborted()
  }

  async function sample(): Promise<void> {
    const last = samples.at(-1)
    const { revision } = reader
    if (revision === (last?.revision ?? 0n) || now() - (last?.timeMs ?? 0) < SAMPLE_MS) return
    // A clock set back must not make newer revisions look older.
    const added = { revision, timeMs: Math.max(now(), last?.timeMs ?? 0) }
    const needless = samples.filter(({ revision: sampled }) => sampled < reader.compacted)
    await group.between(() => recordSample({ tables, writer }, { added, dropped: needless }))
    samples = [...samples.filter((each) => !needless.includes(each)), added]
  }

  async function tidy(): Promise<void> {
    await sample()
    const target = compactionTarget(policy, samples, { revision: reader.revision, nowMs: now() })
    if (target <= reader.compacted) return
    const before = reader.compacted
    await compact(target)
    log?.info({ before, target }, 'history compacted')
  }

  let tidying = false
  async function round(): Promise<void> {
    if (tidying) return
    tidying = true
    try {
      await tidy()
    } catch (error) {
      log?.warn({ error }, 'history could not be compacted and stays longer')
    } finally {
      tidying = false
    }
  }
  const timer = setInterval(() => void round(), ROUND_MS).unref()
  return { compact, tidy, stop: () => clearInterval(timer) }
}
