/** The Lease object behind an election: who may take it, renewing it, giving it back. */
import { Lease } from '../../crds/core/index.ts'
import { isApiError } from './api-error.ts'
import type { Clock } from './clock.ts'
import type { LeaderOptions, LeaderTiming } from './leader.ts'

export type LeaseSettings = Pick<LeaderOptions, 'client' | 'name' | 'namespace' | 'identity' | 'onContact' | 'log'> & {
  readonly timing: LeaderTiming
  readonly clock: Clock
}

export interface LeaderLease {
  /** One look, and one attempt if nobody alive holds it. Never rejects. */
  acquire(signal: AbortSignal): Promise<boolean>
  /** `unanswered`: no news, the term goes on until it is over. Never rejects. */
  renew(signal: AbortSignal, timeoutMs: number): Promise<'renewed' | 'unanswered' | 'taken'>
  /** Gives it back so that the next leader need not wait; a failure only costs that wait. */
  release(): Promise<void>
  /** Monotonic time at which the last answered write was sent: the term counts from there. */
  renewedAtMs(): number
}

interface State {
  readonly settings: LeaseSettings
  held: Lease | undefined
  sentAtMs: number
  /** The version a candidate saw last, and since when. */
  seen: { readonly version: string | undefined; readonly atMs: number } | undefined
}

const CALL_TIMEOUT_MS = 1_000

export function createLeaderLease(settings: LeaseSettings): LeaderLease {
  const state: State = { settings, held: undefined, sentAtMs: Number.NEGATIVE_INFINITY, seen: undefined }
  return {
    acquire: (signal) => acquire(state, signal),
    renew: (signal, timeoutMs) => renew(state, signal, Math.min(CALL_TIMEOUT_MS, timeoutMs)),
    release: () => release(state),
    renewedAtMs: () => state.sentAtMs,
  }
}

async function acquire(state: State, signal: AbortSignal): Promise<boolean> {
  const { name, log } = state.settings
  try {
    const current = await read(state, signal, CALL_TIMEOUT_MS)
    if (current && !isFree(state, current)) return false
    await write(state, current, signal, CALL_TIMEOUT_MS)
    return true
  } catch (error) {
    if (!signal.aborted) log.debug({ lease: name, err: error }, 'could not take the leader lease')
    return false
  }
}

async function renew(state: State, signal: AbortSignal, timeoutMs: number) {
  const { name, log, identity } = state.settings
  try {
    await write(state, state.held, signal, timeoutMs)
    return 'renewed'
  } catch (error) {
    if (!signal.aborted) log.debug({ lease: name, err: error }, 'could not renew the leader lease')
    if (!isApiError(error, 404, 409)) return 'unanswered'
  }
  // A conflict may be a write of our own whose answer was lost; only a look tells whether it was somebody else.
  try {
    const current = await read(state, signal, timeoutMs)
    if (current?.spec?.holderIdentity !== identity) return 'taken'
    state.held = current
  } catch {
    // No answer either: the next renewal, or the end of the term, decides.
  }
  return 'unanswered'
}

async function release(state: State): Promise<void> {
  const { client, name, log, clock } = state.settings
  if (!state.held) return
  const spec = { ...state.held.spec, holderIdentity: '', renewTime: microTime(clock) }
  try {
    await client.update(Lease, { ...state.held, spec }, { timeoutMs: CALL_TIMEOUT_MS })
  } catch (error) {
    log.debug({ lease: name, err: error }, 'could not give the leader lease back')
  }
  state.held = undefined
}

async function read(state: State, signal: AbortSignal, timeoutMs: number): Promise<Lease | undefined> {
  const { client, name, namespace, onContact } = state.settings
  try {
    const current = await client.get(Lease, name, { namespace, timeoutMs, signal })
    onContact?.()
    return current
  } catch (error) {
    if (isApiError(error, 404)) return undefined
    throw error
  }
}

async function write(state: State, current: Lease | undefined, signal: AbortSignal, timeoutMs: number): Promise<void> {
  const { client, name, namespace, clock, onContact } = state.settings
  const startedMs = clock.monotonicMs()
  const spec = claim(current, state.settings)
  state.held = current
    ? await client.update(Lease, { ...current, spec }, { timeoutMs, signal })
    : await client.create(Lease, { metadata: { name, namespace }, spec }, { timeoutMs, signal })
  state.sentAtMs = startedMs
  onContact?.()
}

/** True when its holder gave it back, is us, or made no change for its whole duration while we looked. */
function isFree(state: State, { spec, metadata }: Lease): boolean {
  const { clock, identity } = state.settings
  const nowMs = clock.monotonicMs()
  if (state.seen?.version !== metadata.resourceVersion) state.seen = { version: metadata.resourceVersion, atMs: nowMs }
  if (!spec?.holderIdentity || spec.holderIdentity === identity) return true
  return nowMs - (state.seen?.atMs ?? nowMs) > (spec.leaseDurationSeconds ?? 0) * 1_000
}

function claim(current: Lease | undefined, { identity, timing, clock }: LeaseSettings): Lease['spec'] {
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
