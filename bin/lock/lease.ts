/**
 * When a held key is renewed, and when what it guards must end: a pure state machine, told the time.
 *
 * A server counts a key's TTL from when a request arrives, which is never before it was sent. So whoever counts from
 * the sending, on a clock that never jumps, stops no later than the server lets the next one in.
 */

/** Milliseconds; the last three are counted from when the request that last renewed the key was sent. */
export interface Terms {
  /** Between two renewals. */
  readonly renewEveryMs: number
  /** For one attempt to renew. */
  readonly attemptMs: number
  /** After a failed attempt. */
  readonly retryMs: number
  /** Not renewed by then: the command is asked to end. */
  readonly terminateMs: number
  /** Not ended by then: the command is killed. Before the TTL, by what the killing may take. */
  readonly killMs: number
}

export function termsOf(ttlMs: number): Terms {
  return {
    renewEveryMs: ttlMs / 3,
    attemptMs: Math.min(5_000, ttlMs / 6),
    retryMs: Math.min(1_000, ttlMs / 30),
    terminateMs: ttlMs * 0.75,
    killMs: ttlMs - Math.max(200, ttlMs / 20),
  }
}

export type State =
  | {
      readonly at: 'held'
      readonly renewedMs: number
      /** When the attempt under way was sent. */
      readonly askedMs: number | undefined
      readonly nextMs: number
    }
  | { readonly at: 'ending'; readonly reason: string; readonly killAtMs: number }
  | { readonly at: 'killed'; readonly reason: string }

export type Input =
  | { readonly got: 'time' }
  /** The server confirms that the key is still the one we made. */
  | { readonly got: 'renewed' }
  /** No answer; it may have been renewed or not. */
  | { readonly got: 'failed' }
  | { readonly got: 'lost'; readonly reason: string }

export type Effect = 'renew' | 'terminate' | 'kill'

export interface Step {
  readonly state: State
  readonly effects: readonly Effect[]
}

/** `sentMs`: when the request that took the key was sent. */
export function held(terms: Terms, sentMs: number): State {
  return { at: 'held', renewedMs: sentMs, askedMs: undefined, nextMs: sentMs + terms.renewEveryMs }
}

/** When time must be told again; undefined when no more is awaited. */
export function wakeAtMs(terms: Terms, state: State): number | undefined {
  if (state.at === 'killed') return undefined
  if (state.at === 'ending') return state.killAtMs
  const terminateAtMs = state.renewedMs + terms.terminateMs
  return state.askedMs === undefined ? Math.min(state.nextMs, terminateAtMs) : terminateAtMs
}

/** Nothing brings a lease back that has begun to end: what it guarded has been told to stop. */
export function step(terms: Terms, state: State, input: Input, nowMs: number): Step {
  if (state.at === 'killed') return { state, effects: [] }
  if (state.at === 'ending') return nowMs < state.killAtMs ? { state, effects: [] } : kill(state.reason)
  switch (input.got) {
    case 'lost':
      return end(terms, state.renewedMs, input.reason, nowMs)
    case 'renewed': {
      const renewedMs = state.askedMs ?? state.renewedMs
      return onTime(terms, { at: 'held', renewedMs, askedMs: undefined, nextMs: renewedMs + terms.renewEveryMs }, nowMs)
    }
    case 'failed':
      return onTime(terms, { ...state, askedMs: undefined, nextMs: nowMs + terms.retryMs }, nowMs)
    case 'time':
      return onTime(terms, state, nowMs)
  }
}

function onTime(terms: Terms, state: Extract<State, { at: 'held' }>, nowMs: number): Step {
  if (nowMs >= state.renewedMs + terms.terminateMs)
    return end(terms, state.renewedMs, 'could not be renewed before its TTL runs out', nowMs)
  if (state.askedMs !== undefined || nowMs < state.nextMs) return { state, effects: [] }
  return { state: { ...state, askedMs: nowMs }, effects: ['renew'] }
}

function end(terms: Terms, renewedMs: number, reason: string, nowMs: number): Step {
  const graceMs = terms.killMs - terms.terminateMs
  const killAtMs = Math.min(nowMs + graceMs, renewedMs + terms.killMs)
  if (nowMs >= killAtMs) return kill(reason)
  return { state: { at: 'ending', reason, killAtMs }, effects: ['terminate'] }
}

function kill(reason: string): Step {
  return { state: { at: 'killed', reason }, effects: ['kill'] }
}
