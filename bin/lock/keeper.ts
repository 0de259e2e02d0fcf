/** Keeps a key that was taken: carries out what `lease.ts` decides, with one timer and one renewal at a time. */
import { type Clock, systemClock } from '../../controllers/lib/clock.ts'
import type { KeysClient } from '../etcd-v2/keys-client.ts'
import { CODE, isKeysError } from '../etcd-v2/keys-error.ts'
import { held, type Input, type State, step, type Terms, termsOf, wakeAtMs } from './lease.ts'

/** A key that we made, as the server named it. */
export interface HeldKey {
  readonly key: string
  readonly value: string
  readonly ttlSeconds: number
  /** Grows with every holder: the fencing token. */
  readonly createdIndex: number
  /** On the monotonic clock: when the request that took or last renewed it was sent. */
  readonly sentMs: number
}

export interface KeeperOptions {
  readonly keys: Pick<KeysClient, 'refresh'>
  readonly held: HeldKey
  /** Called at most once: end what the key guards. `killMs` from now it must be gone. */
  readonly onTerminate: (reason: string) => void
  /** Called at most once, also without `onTerminate` where there is no time left for it. */
  readonly onKill: (reason: string) => void
  readonly clock?: Clock
}

export interface Keeper {
  /** Why what the key guards was ended; undefined while it is held. */
  lost(): string | undefined
  /** No more renewals; resolves when none is under way. The key itself stays. */
  stop(): Promise<void>
}

export function keep(options: KeeperOptions): Keeper {
  const { clock = systemClock, held: key } = options
  const terms = termsOf(key.ttlSeconds * 1_000)
  const stopping = new AbortController()
  let state: State = held(terms, key.sentMs)
  let cancelTimer = (): void => {}
  let renewal: Promise<void> = Promise.resolve()

  const feed = (input: Input): void => {
    if (stopping.signal.aborted) return
    const next = step(terms, state, input, clock.monotonicMs())
    state = next.state
    for (const effect of next.effects) {
      if (effect === 'renew') renewal = renewOnce(options, terms, stopping.signal).then(feed)
      if (effect === 'terminate') options.onTerminate(reasonOf(state))
      if (effect === 'kill') options.onKill(reasonOf(state))
    }
    cancelTimer()
    const wakeMs = wakeAtMs(terms, state)
    if (wakeMs !== undefined)
      cancelTimer = clock.timer(Math.max(0, Math.ceil(wakeMs - clock.monotonicMs())), () => feed({ got: 'time' }))
  }
  feed({ got: 'time' })
  return {
    lost: () => (state.at === 'held' ? undefined : state.reason),
    stop: async () => {
      stopping.abort()
      cancelTimer()
      await renewal
    },
  }
}

function reasonOf(state: State): string {
  return state.at === 'held' ? '' : state.reason
}

/** Never rejects. A key with our value that was made by another request is another's: values may be shared, indices not. */
async function renewOnce({ keys, held }: KeeperOptions, terms: Terms, signal: AbortSignal): Promise<Input> {
  const { key, value, ttlSeconds, createdIndex } = held
  try {
    const { node } = await keys.refresh(key, value, { ttlSeconds, timeoutMs: terms.attemptMs, signal })
    if (node.createdIndex === createdIndex) return { got: 'renewed' }
    return { got: 'lost', reason: 'is another one by now' }
  } catch (error) {
    if (isKeysError(error, CODE.keyNotFound)) return { got: 'lost', reason: 'is gone' }
    if (isKeysError(error, CODE.compareFailed)) return { got: 'lost', reason: 'was taken by another' }
    // No answer, or a refusal that says nothing of the key: it is ours for as long as its TTL lasts.
    return { got: 'failed' }
  }
}
