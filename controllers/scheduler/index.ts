/**
 * The scheduler: owns `spec.machineName` of Units and their conditions Scheduled (only False; the agent says True with
 * its claim) and PlacementSupported; reads Machines and Units. Two of them cannot both win: every write carries the
 * version it was decided on, and a lost one is decided again.
 *
 * A round takes in what changed and plans what there is to do (planner.ts); its decisions are written by a second set of
 * workers, so the next unit need not wait for the writes of the round before.
 */
import type { Logger } from 'pino'
import type { Machine } from '../../crds/machine.ts'
import type { Unit } from '../../crds/unit.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { createController, DONE, type Reconcile } from '../lib/controller.ts'
import type { Informer } from '../lib/informer.ts'
import { group, type Runnable } from '../lib/runnable.ts'
import { createTrigger } from '../lib/trigger.ts'
import type { ApplyDeps } from './apply.ts'
import { createFeed } from './feed.ts'
import type { Planner } from './planner.ts'
import { createRewording } from './rewording.ts'
import { createWriter } from './writer.ts'

export interface SchedulerOptions extends Omit<ApplyDeps, 'clock'> {
  readonly machines: Pick<Informer<Machine>, 'get' | 'list' | 'subscribe'>
  readonly units: Pick<Informer<Unit>, 'get' | 'list' | 'subscribe'>
  readonly log: Logger
  readonly clock?: Clock
}

const ROUND = 'all units'
/** What is kept between rounds is counted anew so often: some tens of ms at 100 000 units. */
const CHECK_EVERY_MS = 300_000
/** A round that took longer is followed by a rest of the same length, so that half of the time is left for others. */
const LONG_MS = 5

/** To be started by the leader, after its informers are ready. */
export function createScheduler(options: SchedulerOptions): Runnable {
  const { log, clock = systemClock } = options
  const feed = createFeed({ ...options, checkEveryMs: CHECK_EVERY_MS, clock })
  const rewording = createRewording()
  let [restUntilMs, rewordAtMs] = [0, Number.POSITIVE_INFINITY]
  const planOnce = (planner: Planner, nowMs: number): number => {
    rewording.begin(nowMs)
    const actions = planner.plan(rewording.may)
    rewordAtMs = nowMs + (rewording.end() ?? Number.POSITIVE_INFINITY)
    for (const action of actions) writer.write(action)
    return actions.length
  }
  const round: Reconcile = async (_, context) => {
    const begunMs = clock.monotonicMs()
    if (begunMs < restUntilMs) return { requeueAfterMs: restUntilMs - begunMs }
    const planner = feed.upToDate()
    if (planner.isDue || rewordAtMs <= begunMs) {
      const actions = feed.guarded(() => planOnce(planner, begunMs))
      const tookMs = clock.monotonicMs() - begunMs
      if (tookMs > LONG_MS) restUntilMs = begunMs + 2 * tookMs
      context.log.debug({ actions, tookMs }, 'planned')
    }
    if (planner.isDue) return { requeueAfterMs: 1 }
    const dueMs = Math.min(planner.dueAtMs, rewordAtMs, feed.checkAtMs) - clock.monotonicMs()
    return Number.isFinite(dueMs) ? { requeueAfterMs: Math.max(1, dueMs) } : DONE
  }
  const rounds = createController({ name: 'scheduler', reconcile: round, log, clock })
  const planAgain = () => rounds.enqueue(ROUND)
  const writer = createWriter({ ...options, clock, disown: feed.disown, planAgain })
  return group('scheduler', [writer, rounds, createTrigger('scheduler trigger', feed.sources, planAgain)])
}
