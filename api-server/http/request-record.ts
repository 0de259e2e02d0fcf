/** What is known of a request while it is served: for the audit log, the metrics and the queues. */
import type { Caller } from './access.ts'
import type { Ticket } from './priority-lane.ts'
import type { ResourceRequest } from './request-info.ts'

/** What a write left behind. */
export interface Wrote {
  readonly name: string
  readonly resourceVersion: string | undefined
}

export class RequestRecord {
  readonly query: URLSearchParams
  /** Of the monotonic clock. */
  readonly startedMs = performance.now()
  /** As authorization knows it; empty where the request was refused before that was known. */
  verb = ''
  /** Undefined for paths that are no resource. */
  target: ResourceRequest | undefined
  caller: Caller | undefined
  wrote: Wrote | undefined
  /** What a deletion of a collection took, as `name` or `namespace/name`. */
  deleted: readonly string[] | undefined
  /** It is open as long as the client wants: a watch, a log that is followed. */
  lasting = false
  /** Health, version, metrics: asked for most when much is going on, so it waits for nothing. */
  probe = false
  /** Its seat; undefined before it has one, and for what needs none. */
  place: Ticket | undefined
  /** Set for writes: the answer's `audit-id`. */
  id: string | undefined

  constructor(query: URLSearchParams) {
    this.query = query
  }
}

const VERSION = '"resourceVersion":"'

/** An answer's object has its resourceVersion near its beginning (see encode.ts); nothing is parsed for it. */
export function versionIn(bytes: Buffer): string | undefined {
  const at = bytes.indexOf(VERSION)
  if (at < 0) return undefined
  const from = at + VERSION.length
  return bytes.toString('latin1', from, bytes.indexOf('"', from))
}
