/** A watch on etcd's history that becomes one on the present, without a gap: the step is one synchronous stretch. */
import { type FollowOptions, live as following } from '../follow.ts'
import { rangeTest } from '../keys.ts'
import { CompactedError, type Event, type Range, type Revision } from '../store.ts'
import type { Subscription, WatchHub } from '../watch-hub.ts'
import type { Counting } from './layout.ts'
import { eventOf, type Live } from './live.ts'
import { changesAfter, HistoryGoneError, type StreamDeps } from './watch-stream.ts'

export interface PastDeps extends StreamDeps {
  readonly counting: Counting
  readonly hub: WatchHub
  readonly live: Pick<Live, 'revision'>
  readonly span: () => { readonly compacted: Revision }
}

export async function* watchFrom(
  deps: PastDeps,
  range: Range,
  { after, until, signal }: FollowOptions,
): AsyncGenerator<readonly Event[], void, undefined> {
  const { hub, live, span } = deps
  if (signal.aborted) return
  if (after < span().compacted) throw new CompactedError(span().compacted)
  if (until !== undefined && after >= until) return
  if (after >= live.revision) {
    yield* following(hub.subscribe(range), { events: [], seen: after, signal })
    return
  }
  let joined: Joined | undefined
  for await (const { events, through } of historyOf(deps, range, { after, signal })) {
    if (until !== undefined && through >= until) {
      yield* notEmpty(events.filter(({ kv }) => kv.modified <= until))
      return
    }
    if (through >= live.revision) {
      // Here and now: nothing can be handed out between the comparison and the subscription.
      joined = { subscription: hub.subscribe(range), events, seen: through }
      break
    }
    yield* notEmpty(events)
  }
  if (joined !== undefined) yield* following(joined.subscription, { ...joined, signal })
}

interface Joined {
  readonly subscription: Subscription
  readonly events: readonly Event[]
  readonly seen: Revision
}

function notEmpty(events: readonly Event[]): (readonly Event[])[] {
  return events.length > 0 ? [events] : []
}

interface Stretch {
  readonly events: readonly Event[]
  readonly through: Revision
}

async function* historyOf(
  deps: PastDeps,
  range: Range,
  { after, signal }: { readonly after: Revision; readonly signal: AbortSignal },
): AsyncGenerator<Stretch, void, undefined> {
  const { counting, span } = deps
  const wants = rangeTest(range)
  try {
    for await (const changes of changesAfter(deps, { seen: counting.etcd(after) }, signal)) {
      const events = changes.map((change) => eventOf(change, deps)).filter((event) => event !== undefined)
      const last = changes.at(-1)
      if (last === undefined) continue
      yield { events: events.filter(({ kv }) => wants(kv.key)), through: counting.seam(last.kv.mod_revision) }
    }
  } catch (error) {
    if (!(error instanceof HistoryGoneError)) throw error
    const compacted = counting.seam(error.compacted)
    throw new CompactedError(compacted > span().compacted ? compacted : span().compacted)
  }
}
