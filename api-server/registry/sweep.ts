/** The registry's own chores: Events expire after an hour, deleted namespaces are emptied. Any server may do them. */
import type { Logger } from 'pino'
import { Event } from '../../crds/index.ts'
import type { Kind } from '../../crds/kind.ts'
import { objectOf } from './entry.ts'
import { StatusError } from './errors.ts'
import { drainNamespaces } from './namespaces.ts'
import type { Registry } from './registry.ts'

export const EVENT_TTL_MS = 3_600_000

/** Deletes are guarded by the version looked at, so an Event that was counted up meanwhile stays. */
export async function expireEvents(registry: Registry, now: Date): Promise<number> {
  let expired = 0
  for (const entry of [...registry.feed.cache(Event).entries.from('')]) {
    const event = objectOf(entry)
    const seen = Date.parse(String(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp))
    if (now.getTime() - seen < EVENT_TTL_MS) continue
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
  await drainNamespaces(registry).catch((error: unknown) =>
    log.warn({ err: error }, 'namespaces not emptied, will retry'),
  )
  await expireEvents(registry, new Date()).catch((error: unknown) =>
    log.warn({ err: error }, 'events not expired, will retry'),
  )
}
