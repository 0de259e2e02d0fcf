/**
 * Leader election on a Lease object. A candidate judges the holder by its own monotonic clock since it last saw the
 * lease change, never by the times written in it: the clocks of two hosts need not agree. The leader counts its term from
 * the moment it *sent* the last renewal that was answered, and stops before anyone else can take over. Losing the lease,
 * or a failure of what it leads, ends that group only; the process goes on as a candidate (D6).
 */
import type { Logger } from 'pino'
import type { ApiReader, ApiWriter } from './client.ts'
import { type Clock, sleep, systemClock } from './clock.ts'
import { createLeaderLease, type LeaderLease } from './leader-lease.ts'
import type { Runnable } from './runnable.ts'

export interface LeaderTiming {
  /** Silence after which a holder counts as dead; whole seconds, written into the lease for the others. */
  readonly leaseDurationMs: number
  readonly renewEveryMs: number
  /** The leader steps down when its last answered renewal was sent so long ago. */
  readonly giveUpAfterMs: number
  /** How often a candidate looks. */
  readonly retryEveryMs: number
}
/** Clean hand-over within retryEveryMs + one write; after kill -9 within leaseDurationMs + 2 × retryEveryMs: 4 s. */
export const LEADER_TIMING: LeaderTiming = {
  leaseDurationMs: 3_000,
  renewEveryMs: 1_000,
  giveUpAfterMs: 2_000,
  retryEveryMs: 500,
}

export interface LeaderOptions {
  readonly client: Pick<ApiReader, 'get'> & Pick<ApiWriter, 'create' | 'update'>
  /** Name of the lease. */
  readonly name: string
  readonly namespace: string
  /** Unique among the processes that contend; one that has it takes its own lease back at once. */
  readonly identity: string
  /** Makes what only the leader runs; called anew for every term. */
  readonly lead: () => Runnable
  readonly log: Logger
  /** The API answered: heard about every second, as leader and as candidate. */
  readonly onContact?: () => void
  readonly timing?: LeaderTiming
  readonly clock?: Clock
}

export interface Election extends Runnable {
  isLeader(): boolean
}

export function createElection(options: LeaderOptions): Election {
  const { name, lead, log, timing = LEADER_TIMING, clock = systemClock } = options
  const lease = createLeaderLease({ ...options, timing, clock })
  let leading = false

  const serve = async (signal: AbortSignal): Promise<void> => {
    log.info({ lease: name, identity: options.identity }, 'became leader')
    leading = true
    try {
      await leadUntilLost(lead(), { lease, timing, clock, signal, log })
    } catch (error) {
      log.error({ lease: name, err: error }, 'what the leader runs failed')
    } finally {
      leading = false
      await lease.release()
      log.info({ lease: name }, 'stopped leading')
    }
  }
  return {
    name: `election ${name}`,
    isLeader: () => leading,
    start: async (signal) => {
      do {
        if (await lease.acquire(signal)) await serve(signal)
      } while (await sleep(clock, timing.retryEveryMs, signal))
    },
  }
}

interface Term {
  readonly lease: LeaderLease
  readonly timing: LeaderTiming
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly log: Logger
}

/** Runs `led` and renews beside it; whichever ends first ends the other. */
async function leadUntilLost(led: Runnable, { lease, timing, clock, signal, log }: Term): Promise<void> {
  const term = new AbortController()
  const end = () => term.abort()
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  const running = led.start(term.signal).finally(end)
  const renewing = renewUntilLost({ lease, timing, clock, signal: term.signal, log }).finally(end)
  try {
    await Promise.all([running, renewing])
  } finally {
    signal.removeEventListener('abort', end)
    // A failed group rejects first; its renewals must be over too before the lease is given back.
    await Promise.allSettled([running, renewing])
  }
}

async function renewUntilLost({ lease, timing, clock, signal, log }: Term): Promise<void> {
  const leftMs = () => lease.renewedAtMs() + timing.giveUpAfterMs - clock.monotonicMs()
  while (await sleep(clock, Math.max(0, Math.min(timing.renewEveryMs, leftMs())), signal)) {
    const outcome = await lease.renew(signal, Math.max(1, leftMs()))
    if (outcome === 'renewed' || signal.aborted) continue
    if (outcome === 'taken' || leftMs() <= 0) {
      log.warn({ outcome }, 'lost the leader lease')
      return
    }
    if (!(await sleep(clock, Math.min(timing.retryEveryMs, Math.max(0, leftMs())), signal))) return
  }
}
