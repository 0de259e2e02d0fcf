/** What every namespace needs from its server: a ServiceAccount `default` while it lives, an end when it is deleted. */
import type { Logger } from 'pino'
import { Namespace, ServiceAccount } from '../../crds/index.ts'
import type { Kind } from '../../crds/kind.ts'
import { changesOf } from './changes-of.ts'
import { StatusError } from './errors.ts'
import { drainNamespaces, isEnding } from './namespace-drain.ts'
import type { Registry } from './registry.ts'

/** What holds up a namespace may go without a change of the namespace itself. */
const LOOK_EVERY_MS = 2_000
const ACCOUNT = ServiceAccount as Kind

/** Looks when a namespace changes, and now and then; until `signal` aborts. Failures are met again by the next look. */
export async function keepNamespaces(registry: Registry, log: Logger, signal: AbortSignal): Promise<void> {
  const changes = changesOf(registry.feed.cache(Namespace), signal)
  while (!signal.aborted) {
    changes.seen()
    await ensureAccounts(registry).catch((error: unknown) =>
      log.warn({ err: error }, 'service accounts not made, will retry'),
    )
    await drainNamespaces(registry).catch((error: unknown) =>
      log.warn({ err: error }, 'namespaces not emptied, will retry'),
    )
    await changes.next(LOOK_EVERY_MS)
  }
}

/** Pods that name no account run as it; users bind roles to it. */
export async function ensureAccounts(registry: Registry): Promise<void> {
  for (const entry of [...registry.feed.cache(Namespace).entries.from('')]) {
    const { name: namespace } = entry
    const place = { kind: ACCOUNT, namespace, name: 'default' }
    if (isEnding(entry) || registry.find(place)) continue
    const object = { apiVersion: 'v1', kind: ACCOUNT.kind, metadata: { name: place.name, namespace } }
    await registry.create(ACCOUNT, namespace, object).catch(ignoreThere)
  }
}

/** Another server has been faster. */
function ignoreThere(error: unknown): void {
  if (!(error instanceof StatusError && error.status.code === 409)) throw error
}
