/**
 * A watch from a past revision: history page by page, then live. The step from the one to the other is made in one
 * synchronous stretch, so nothing can be published between the last page read and the subscription; while history is
 * read nothing is buffered.
 */
import type { Event, Range, Revision } from './store.ts'
import type { Subscription, WatchHub } from './watch-hub.ts'

/** Past events, as a backend reads them. */
export interface History {
  /** Newest revision that was published. */
  readonly revision: Revision
  /**
   * The events in `range` of some whole transactions after `after`, up to `through`, of which all were read. Throws
   * `CompactedError` when `after` is too old.
   */
  eventsAfter(after: Revision, range: Range): { readonly events: readonly Event[]; readonly through: Revision }
}

export interface FollowOptions {
  readonly after: Revision
  /** Ends by itself after the last event up to here, which must have been published already. */
  readonly until?: Revision
  readonly signal: AbortSignal
}

export async function* follow(
  history: History,
  hub: WatchHub,
  range: Range,
  { after, until, signal }: FollowOptions,
): AsyncGenerator<readonly Event[], void, undefined> {
  let seen = after
  while (!signal.aborted) {
    const { events, through } = history.eventsAfter(seen, range)
    seen = through > seen ? through : seen
    if (until !== undefined && seen >= until) {
      const wanted = events.filter(({ kv }) => kv.modified <= until)
      if (wanted.length > 0) yield wanted
      return
    }
    if (seen >= history.revision) {
      yield* live(hub.subscribe(range), { events, seen, signal })
      return
    }
    if (events.length > 0) yield events
    // A long history must not hold up everybody else, wanted or not.
    else await new Promise((resolve) => setImmediate(resolve))
  }
}

interface LiveOptions {
  /** The last of the history, to be handed out first. */
  readonly events: readonly Event[]
  readonly seen: Revision
  readonly signal: AbortSignal
}

/** What a subscription gets from now on, behind `events`; what is not later than `seen` is left out. */
export async function* live(
  subscription: Subscription,
  { events, seen, signal }: LiveOptions,
): AsyncGenerator<readonly Event[], void, undefined> {
  const end = () => subscription.end()
  signal.addEventListener('abort', end, { once: true })
  try {
    if (events.length > 0) yield events
    for (;;) {
      if (signal.aborted) return
      const batch = await subscription.take()
      if (batch === undefined) return
      const news = newsOf(batch, seen)
      if (news.length > 0) yield news
    }
  } finally {
    signal.removeEventListener('abort', end)
    end()
  }
}

/** Drops what a watch from a future revision does not want yet. */
function newsOf(batch: readonly Event[], seen: Revision): readonly Event[] {
  const first = batch[0]
  return first !== undefined && first.kv.modified > seen ? batch : batch.filter(({ kv }) => kv.modified > seen)
}
