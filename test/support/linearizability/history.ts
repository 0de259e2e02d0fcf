/**
 * What clients did and what they were told. Every write of a history writes a token that no other write has, so that a
 * key's state is the token last written, or none, and a compare-and-set names the token that it replaces.
 */

export type Token = string
/** What a key holds. */
export type State = Token | undefined

export type Action =
  | { readonly do: 'read' }
  /** Succeeds only where nothing is. */
  | { readonly do: 'create'; readonly token: Token }
  /** Succeeds only where `expected` is. */
  | { readonly do: 'replace'; readonly expected: Token; readonly token: Token }
  | { readonly do: 'remove'; readonly expected: Token }

export type Outcome =
  /** A read's answer. */
  | { readonly saw: State }
  /** A write that was acknowledged, or refused because the key did not hold what it asked for. */
  | { readonly done: boolean }
  /** Nobody told the client: it may have happened at any later time, or never. */
  | 'unknown'

export interface Operation {
  readonly key: string
  readonly action: Action
  readonly outcome: Outcome
  /** When it was sent and when it was answered, on one clock. What has no answer ends at infinity. */
  readonly startedAt: number
  readonly endedAt: number
}

/**
 * The state after the operation, or 'impossible' where its outcome could not have been. What has no answer and would
 * change nothing counts as impossible too: an order is as good without it.
 */
export function step(state: State, { action, outcome }: Operation): { readonly state: State } | 'impossible' {
  if (action.do === 'read')
    return outcome !== 'unknown' && 'saw' in outcome && outcome.saw === state ? { state } : 'impossible'
  const applies = state === (action.do === 'create' ? undefined : action.expected)
  const after = action.do === 'remove' ? undefined : action.token
  if (outcome === 'unknown') return applies ? { state: after } : 'impossible'
  if (!('done' in outcome) || outcome.done !== applies) return 'impossible'
  return { state: outcome.done ? after : state }
}
