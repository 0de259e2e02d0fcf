/** The registry's own chore: Events expire after an hour. Any server may do it. */
import type { Logger } from 'pino'
import { Event } from '../../crds/index.ts'
import type { Kind } from '../../crds/kind.ts'
import { type Entry, objectOf } from './entry.ts'
import { StatusError } from './errors.ts'
import type { Registry } from './registry.ts'

export const EVENT_TTL_MS = 3_600_000

/** From when on an Event's hour is counted, read once an entry: a sweep goes through all of them. */
const seenAt = new WeakMap<Entry, number>()

/** The later of when it was made here and when it was last seen: one that is brought along from elsewhere has its hour too. */
function lastSeen(entry: Entry, nowMs: number): number {
  let seen = seenAt.get(entry)
  if (seen === undefined) {
    const event = objectOf(entry)
    const made = Date.parse(String(event.metadata.creationTimestamp))
    const told = Date.parse(String(event.lastTimestamp ?? event.eventTime))
    // What cannot be read as a time, or is far ahead, would otherwise stay for ever.
    seen = Number.isNaN(told) ? made : Math.max(made, Math.min(told, nowMs))
    seenAt.set(entry, seen)
  }
  return seen
}

/** Deletes are guarded by the version looked at, so an Event that was counted up meanwhile stays. */
export async function expireEvents(registry: Registry, now: Date): Promise<number> {
  const due = [...registry.feed.cache(Event).entries.from('')].filter(
    (entry) => now.getTime() - lastSeen(entry, now.getTime()) >= EVENT_TTL_MS,
  )
  let expired = 0
  for (const entry of due) {
    const preconditions = { resourceVersion: String(entry.version) }
    await registry
      .delete({ kind: Event as Kind, namespace: entry.namespace, name: entry.name }, { preconditions })
      .then(() => expired++, ignoreRace)
  }
  return expired
}

function ignoreRace(error: unknown): void {
  if (!(error instanceof StatusError && [404, 409].includes(error.status.code))) throw error
}

/** One pass of everything; failures are logged and met again by the next pass. */
export async function sweep(registry: Registry, log: Logger): Promise<void> {
  await expireEvents(registry, new Date()).catch((error: unknown) =>
    log.warn({ err: error }, 'events not expired, will retry'),
  )
}
