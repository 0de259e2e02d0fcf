/**
 * Everything that happens below the prefix after some revision, over any number of broken links: each delivery is some
 * whole transactions, none twice, none left out. Where the consumer pauses, HTTP/2 makes etcd pause.
 *
 * A stream is begun *at* the last revision seen, not after it: etcd refuses that where it is compacted, while one begun
 * at the very revision of a compaction silently lacks that revision's deletes. What was seen is dropped here.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import { UnavailableError } from '../store.ts'
import type { Endpoint } from './endpoint.ts'
import type { Endpoints } from './endpoints.ts'
import { fateOf, refusalOf } from './errors.ts'
import type { Layout } from './layout.ts'
import type { EtcdEvent, WatchAnswer } from './messages.ts'
import { readHead } from './meta.ts'

export interface StreamDeps {
  readonly endpoints: Endpoints
  readonly layout: Layout
}

/** What lies between the last revision seen and `compacted` is gone. etcd's own revisions. */
export class HistoryGoneError extends Error {
  readonly compacted: bigint
  constructor(compacted: bigint) {
    super(`etcd has compacted its history up to revision ${compacted}`)
    this.compacted = compacted
  }
}

/** `seen`: everything up to there is known; `from`: where to begin, if that is later than `seen` and nothing is between. */
export interface Position {
  readonly seen: bigint
  readonly from?: bigint
}

const PAUSE_MS = 100

/** Ends normally when `signal` aborts. Throws `HistoryGoneError`, or what etcd refuses for good. */
export async function* changesAfter(
  deps: StreamDeps,
  position: Position,
  signal: AbortSignal,
): AsyncGenerator<readonly EtcdEvent[], void, undefined> {
  const { endpoints, layout } = deps
  let { seen, from = seen } = position
  while (!signal.aborted) {
    const endpoint = endpoints.current
    try {
      for await (const events of oneStream(endpoints, endpoint, layout, from > 0n ? from : 1n, signal)) {
        const news = events.filter(({ kv }) => BigInt(kv.mod_revision) > seen)
        const last = news.at(-1)
        if (last === undefined) continue
        checkPrevious(news, seen)
        seen = BigInt(last.kv.mod_revision)
        from = seen
        yield news
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof HistoryGoneError) from = await pastQuiet(deps, seen, error, signal)
      else await giveUpOn(endpoints, endpoint, error, signal)
    }
  }
}

/** Others share this etcd, and compacted it while nothing happened here: then nothing is missing. */
async function pastQuiet(
  { endpoints, layout }: StreamDeps,
  seen: bigint,
  error: HistoryGoneError,
  signal: AbortSignal,
): Promise<bigint> {
  const head = await readHead(endpoints, layout, signal)
  if (head.revision > seen) throw error
  return head.readAt + 1n
}

/** etcd leaves out what was there before where it is compacted by now; that is as bad as a lost event. */
function checkPrevious(events: readonly EtcdEvent[], seen: bigint): void {
  for (const { type, kv, prev_kv } of events) {
    const had = type === 1 || kv.create_revision !== kv.mod_revision
    if (had && prev_kv === null) throw new HistoryGoneError(seen)
  }
}

async function giveUpOn(endpoints: Endpoints, endpoint: Endpoint, error: unknown, signal: AbortSignal): Promise<void> {
  if (!(error instanceof MovedError)) {
    const failure = error as ServiceError
    if (failure.code === undefined) throw error
    if (fateOf(failure) === 'refused') throw refusalOf(failure)
    endpoints.leave(endpoint, failure.details)
  } else if (endpoints.current !== endpoint) return
  await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined)
}

/** The endpoint was left for another one: by somebody else, or because it did not begin the watch in time. */
class MovedError extends Error {}

async function* oneStream(
  endpoints: Endpoints,
  endpoint: Endpoint,
  { all }: Layout,
  from: bigint,
  signal: AbortSignal,
): AsyncGenerator<readonly EtcdEvent[], void, undefined> {
  const stream = endpoint.watch()
  const end = (error: Error) => stream.destroy(error)
  const cancel = () => end(new MovedError())
  const silent = setTimeout(() => {
    endpoints.leave(endpoint, 'it does not begin a watch')
    cancel()
  }, endpoints.timeouts.attemptMs)
  const forget = endpoints.onLeft((left) => left === endpoint && cancel())
  signal.addEventListener('abort', cancel, { once: true })
  try {
    stream.write({ create_request: { ...all, start_revision: String(from), prev_kv: true, fragment: true } })
    yield* answersOf(stream, (answer) => {
      clearTimeout(silent)
      endpoints.check(endpoint, answer)
    })
  } finally {
    clearTimeout(silent)
    forget()
    signal.removeEventListener('abort', cancel)
    // Its last words come after the end, with nobody left to hear them.
    stream.on('error', () => undefined)
    stream.cancel()
  }
}

/** Puts together what etcd sends in fragments. */
async function* answersOf(
  stream: ClientDuplexStream<object, WatchAnswer>,
  began: (answer: WatchAnswer) => void,
): AsyncGenerator<readonly EtcdEvent[], void, undefined> {
  let events: readonly EtcdEvent[] = []
  for await (const answer of stream as AsyncIterable<WatchAnswer>) {
    began(answer)
    if (answer.canceled) throw ended(answer)
    events = events.length === 0 ? answer.events : [...events, ...answer.events]
    if (answer.fragment) continue
    if (events.length > 0) yield events
    events = []
  }
  throw new MovedError()
}

function ended({ compact_revision, cancel_reason }: WatchAnswer): Error {
  if (compact_revision !== '0') return new HistoryGoneError(BigInt(compact_revision))
  return new UnavailableError(`etcd ended the watch: ${cancel_reason}`)
}
