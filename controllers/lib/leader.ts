/**
 * Leader election on a Lease object. A candidate judges the holder by its own monotonic clock since it last saw the
 * lease change, never by the times written in it: the clocks of two hosts need not agree. The leader counts its term from
 * the moment it *sent* the last renewal that was answered, and stops before anyone else can take over. Losing the lease,
 * or a failure of what it leads, ends that group only; the process goes on as a candidate (D6).
 */
import type { Logger } from 'pino'
import { Lease } from '../../crds/core.ts'
import { isApiError } from './api-error.ts'
import type { ApiReader, ApiWriter } from './client.ts'
import { type Clock, sleep, systemClock } from './clock.ts'
import { withDeadline } from './deadline.ts'
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
  const lease = createLease(options, timing, clock)
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
      await lease.release(log)
      log.info({ lease: name }, 'stopped leading')
    }
  }
  return {
    name: `election ${name}`,
    isLeader: () => leading,
    start: async (signal) => {
      do {
        if (await lease.acquire(signal, log)) await serve(signal)
      } while (await sleep(clock, timing.retryEveryMs, signal))
    },
  }
}

interface Term {
  readonly lease: HeldLease
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
    const outcome = await lease.renew(signal, Math.max(1, leftMs()), log)
    if (outcome === 'renewed' || signal.aborted) continue
    if (outcome === 'taken' || leftMs() <= 0) {
      log.warn({ outcome }, 'lost the leader lease')
      return
    }
    if (!(await sleep(clock, Math.min(timing.retryEveryMs, Math.max(0, leftMs())), signal))) return
  }
}

interface HeldLease {
  /** One look, and one attempt if nobody alive holds it. */
  acquire(signal: AbortSignal, log: Logger): Promise<boolean>
  renew(signal: AbortSignal, timeoutMs: number, log: Logger): Promise<'renewed' | 'unanswered' | 'taken'>
  /** Gives it back so that the next leader need not wait; a failure only costs that wait. */
  release(log: Logger): Promise<void>
  /** When the last answered write was sent. */
  renewedAtMs(): number
}

const CALL_TIMEOUT_MS = 1_000

function createLease(options: LeaderOptions, timing: LeaderTiming, clock: Clock): HeldLease {
  const { client, name, namespace, identity, onContact } = options
  let held: Lease | undefined
  let sentAtMs = Number.NEGATIVE_INFINITY
  let seen: { readonly version: string | undefined; readonly atMs: number } | undefined

  const write = async (
    current: Lease | undefined,
    signal: AbortSignal | undefined,
    timeoutMs: number,
  ): Promise<void> => {
    const startedMs = clock.monotonicMs()
    const spec = claim(current, identity, timing, clock)
    const call = { timeoutMs, ...(signal === undefined ? {} : { signal }) }
    held = current
      ? await client.update(Lease, { ...current, spec }, call)
      : await client.create(Lease, { metadata: { name, namespace }, spec }, call)
    sentAtMs = startedMs
    onContact?.()
  }
  /** True when its holder gave it back, is us, or made no change for its whole duration while we looked. */
  const isFree = (current: Lease): boolean => {
    const { holderIdentity, leaseDurationSeconds } = current.spec ?? {}
    const version = current.metadata.resourceVersion
    if (seen?.version !== version) seen = { version, atMs: clock.monotonicMs() }
    if (!holderIdentity || holderIdentity === identity) return true
    return clock.monotonicMs() - seen.atMs > (leaseDurationSeconds ?? 0) * 1_000
  }
  const read = async (signal: AbortSignal, timeoutMs = CALL_TIMEOUT_MS): Promise<Lease | undefined> => {
    try {
      const current = await client.get(Lease, name, { namespace, timeoutMs, signal })
      onContact?.()
      return current
    } catch (error) {
      if (isApiError(error, 404)) return undefined
      throw error
    }
  }
  return {
    renewedAtMs: () => sentAtMs,
    acquire: async (signal, log) => {
      try {
        const current = await read(signal)
        if (current && !isFree(current)) return false
        await write(current, signal, CALL_TIMEOUT_MS)
        return true
      } catch (error) {
        if (!signal.aborted) log.debug({ lease: name, err: error }, 'could not take the leader lease')
        return false
      }
    },
    renew: async (signal, timeoutMs, log) => {
      try {
        await write(held, signal, Math.min(CALL_TIMEOUT_MS, timeoutMs))
        return 'renewed'
      } catch (error) {
        if (!signal.aborted) log.debug({ lease: name, err: error }, 'could not renew the leader lease')
        if (!isApiError(error, 404, 409)) return 'unanswered'
      }
      // An unanswered write of our own may have won; only a new look tells whether it was somebody else.
      const current = await withDeadline(signal, timeoutMs, read).catch(() => held)
      if (current?.spec?.holderIdentity !== identity) return 'taken'
      held = current
      return 'unanswered'
    },
    release: async (log) => {
      if (!held) return
      const spec = { ...held.spec, holderIdentity: '', renewTime: microTime(clock) }
      try {
        await client.update(Lease, { ...held, spec }, { timeoutMs: CALL_TIMEOUT_MS })
      } catch (error) {
        log.debug({ lease: name, err: error }, 'could not give the leader lease back')
      }
      held = undefined
    },
  }
}

function claim(current: Lease | undefined, identity: string, timing: LeaderTiming, clock: Clock): Lease['spec'] {
  const now = microTime(clock)
  const before = current?.spec
  const mine = before?.holderIdentity === identity
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.max(1, Math.ceil(timing.leaseDurationMs / 1_000)),
    acquireTime: mine ? (before?.acquireTime ?? now) : now,
    renewTime: now,
    leaseTransitions: (before?.leaseTransitions ?? 0) + (mine || !current ? 0 : 1),
  }
}

/** Kubernetes' MicroTime wants six digits of a second. */
function microTime(clock: Clock): string {
  return clock.now().toISOString().replace('Z', '000Z')
}
