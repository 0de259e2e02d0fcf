/**
 * Taking a key that others want too: whoever creates it first has it, the others watch it go and try again. A plain
 * race, without a queue: any client of etcd's v2 API takes part with one request, and there is one key to look at.
 */
import { type BackoffOptions, createBackoff } from '../../controllers/lib/backoff.ts'
import { type Clock, sleep, systemClock } from '../../controllers/lib/clock.ts'
import { DeadlineError } from '../../controllers/lib/deadline.ts'
import type { Answer, KeyNode, KeysClient } from '../etcd-v2/keys-client.ts'
import { CODE, isKeysError, UnavailableError } from '../etcd-v2/keys-error.ts'
import type { HeldKey } from './keeper.ts'
import { termsOf } from './lease.ts'

export interface Candidate {
  readonly keys: KeysClient
  readonly key: string
  readonly value: string
  /** No other process writes this value: a key that holds it is ours, whoever got the answer. */
  readonly isValueUnique: boolean
  readonly ttlSeconds: number
  /** Told each time that another is found to hold the key. */
  readonly onHeldByOther: (node: KeyNode) => void
  /** Told when nobody answers. */
  readonly onTrouble: (error: Error) => void
  readonly clock?: Clock
}

const REQUEST_TIMEOUT_MS = 5_000
/** A watch on a dead connection is as silent as one on a held key: look again now and then. */
const MAX_WATCH_MS = 15_000
/** etcd removes expired keys every half second. */
const EXPIRY_SLACK_MS = 700
const BACKOFF: BackoffOptions = { firstMs: 100, maxMs: 2_000, jitter: 0.5 }

/** Resolves once the key is ours. Rejects with `signal.reason`, or with the server's refusal (a directory, no rights). */
export async function acquire(candidate: Candidate, signal: AbortSignal): Promise<HeldKey> {
  const { clock = systemClock, onTrouble } = candidate
  const backoff = createBackoff(BACKOFF)
  for (;;) {
    try {
      const found = await attempt(candidate, clock, signal)
      if ('sentMs' in found) return found
      candidate.onHeldByOther(found.node)
      if (await released(candidate, found, signal)) backoff.reset()
      else await sleep(clock, backoff.nextMs(), signal)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof UnavailableError)) throw error
      onTrouble(error)
      await sleep(clock, backoff.nextMs(), signal)
    }
    signal.throwIfAborted()
  }
}

/** One try: the key as ours, or the other's that is there. Rejects with UnavailableError when nobody answers. */
export async function attempt(candidate: Candidate, clock: Clock, signal: AbortSignal): Promise<HeldKey | Answer> {
  const { keys, key, value, ttlSeconds, isValueUnique } = candidate
  const how = { signal, timeoutMs: REQUEST_TIMEOUT_MS }
  for (;;) {
    const sentMs = clock.monotonicMs()
    const made = await tryCreate(keys, key, value, { ...how, ttlSeconds })
    const found = made ?? (await whatIsThere(keys, key, how))
    if (found?.node.dir) throw new Error(`${key} is a directory: a lock is a key`)
    // An earlier request of ours may have been carried out though its answer was lost.
    const isOurs = made !== undefined || (isValueUnique && found?.node.value === value)
    const held = found && isOurs && (await fresh(candidate, found.node, made ? sentMs : undefined, clock, signal))
    if (held) return held
    if (found && !isOurs) return found
  }
}

/** Undefined where the key is there already. */
async function tryCreate(
  keys: KeysClient,
  key: string,
  value: string,
  how: Parameters<KeysClient['create']>[2],
): Promise<Answer | undefined> {
  try {
    return await keys.create(key, value, how)
  } catch (error) {
    if (isKeysError(error, CODE.alreadyExists)) return undefined
    throw error
  }
}

async function whatIsThere(
  keys: KeysClient,
  key: string,
  how: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<Answer | undefined> {
  try {
    return await keys.get(key, how)
  } catch (error) {
    if (isKeysError(error, CODE.keyNotFound)) return undefined
    throw error
  }
}

/** Our key with most of its TTL still to come: an answer that took long is followed by a renewal. Undefined: it is gone. */
async function fresh(
  { keys, key, value, ttlSeconds }: Candidate,
  { createdIndex }: KeyNode,
  madeMs: number | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<HeldKey | undefined> {
  const { renewEveryMs } = termsOf(ttlSeconds * 1_000)
  for (let sentMs = madeMs; ; ) {
    if (sentMs !== undefined && clock.monotonicMs() - sentMs < renewEveryMs)
      return { key, value, ttlSeconds, createdIndex, sentMs }
    sentMs = clock.monotonicMs()
    try {
      const { node } = await keys.refresh(key, value, { ttlSeconds, signal, timeoutMs: REQUEST_TIMEOUT_MS })
      if (node.createdIndex !== createdIndex) return undefined
    } catch (error) {
      if (isKeysError(error, CODE.keyNotFound, CODE.compareFailed)) return undefined
      throw error
    }
  }
}

/** True when there is reason to try at once; false when the watch ended without one. */
async function released({ keys, key }: Candidate, { node, etcdIndex }: Answer, signal: AbortSignal): Promise<boolean> {
  const leftMs = node.ttl === undefined ? MAX_WATCH_MS : node.ttl * 1_000 + EXPIRY_SLACK_MS
  const timeoutMs = Math.min(MAX_WATCH_MS, leftMs)
  try {
    return (await keys.nextEvent(key, etcdIndex + 1, { signal, timeoutMs })) !== undefined
  } catch (error) {
    // The history no longer holds that moment: look at the key itself again.
    if (isKeysError(error, CODE.eventIndexCleared, CODE.watcherCleared)) return true
    // Nothing happened for as long as the watch was meant to last.
    if (error instanceof UnavailableError && error.cause instanceof DeadlineError) return true
    throw error
  }
}
