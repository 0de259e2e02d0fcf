/** What a server that joins does next, from what the members' list and its own disk say. Pure. */

export interface ListedMember {
  readonly id: string
  /** Empty until its etcd has started for the first time. */
  readonly name: string
  readonly peerUrls: readonly string[]
  readonly isLearner: boolean
}

export interface Seen {
  readonly members: readonly ListedMember[]
  readonly peerUrl: string
  /** Whether our etcd has ever written here. */
  readonly hasData: boolean
  /** Whether our etcd runs (as our child). */
  readonly runs: boolean
}

export type Step =
  /** Wipe what lies in our data folder, then have a learner added under our address. */
  | { readonly do: 'add'; readonly reason: string }
  /** Take the member under our address out: what we have of it is no longer whole. */
  | { readonly do: 'remove'; readonly id: string; readonly isLearner: boolean; readonly reason: string }
  | { readonly do: 'start'; readonly reason: string }
  | { readonly do: 'promote'; readonly id: string; readonly reason: string }
  | { readonly do: 'done'; readonly reason: string }

/**
 * A member's id must never come back with less than it has acknowledged (raft counts on it), so a member is taken up
 * again only where its data is all there or nothing was ever written; else it is removed and added under a new id.
 */
export function nextStep({ members, peerUrl, hasData, runs }: Seen): Step {
  const own = members.find(({ peerUrls }) => peerUrls.includes(peerUrl))
  if (own === undefined) return { do: 'add', reason: 'no member has our address' }
  const { id, isLearner } = own
  if (runs)
    return isLearner
      ? { do: 'promote', id, reason: 'our member runs and does not vote yet' }
      : { do: 'done', reason: 'our member votes' }
  if (own.name === '' && !hasData) return { do: 'start', reason: 'our member was added and has never run' }
  if (own.name === '') return { do: 'remove', id, isLearner, reason: 'our member began and was cut off' }
  if (!hasData) return { do: 'remove', id, isLearner, reason: 'our member has lost its data' }
  return { do: 'start', reason: 'our member has its data' }
}
