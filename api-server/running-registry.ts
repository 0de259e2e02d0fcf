/** A registry at work: its caches follow the store, users' own kinds their definitions, and its chores are done. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { KINDS } from '../crds/index.ts'
import type { Authorizer } from './auth/rbac/authorizer.ts'
import { createCustomKinds, withDefinitions } from './custom/index.ts'
import type { HealthCheck } from './http/health.ts'
import { startRbac } from './rbac/index.ts'
import { Feed } from './registry/feed.ts'
import { keepNamespaces } from './registry/namespace-keeper.ts'
import { ensureNamespaces } from './registry/namespaces.ts'
import { Registry } from './registry/registry.ts'
import { sweep } from './registry/sweep.ts'
import type { Store } from './store/store.ts'

const SWEEP_EVERY_MS = 2_000

/** Closes what was opened. */
export type Undo = () => Promise<unknown>

export interface RunningRegistry {
  readonly registry: Registry
  readonly authorizer: Authorizer
  readonly checks: readonly HealthCheck[]
  /** Resolves, if ever, with why nothing that is served can become any newer; only a restart helps. */
  readonly failed: Promise<Error>
  /** From now on the server is on its way out, and says so to whoever asks whether to send it more. */
  closing(): void
}

/** Resolves when everything that is stored can be served; `undo` gets what ends it. */
export async function startRegistry(store: Store, log: Logger, undo: Undo[]): Promise<RunningRegistry> {
  const feed = new Feed(store, withDefinitions(KINDS), log)
  const registry = new Registry(store, feed)
  const custom = createCustomKinds(registry, log)
  const stop = new AbortController()
  let failing: string | undefined
  let closing = false
  await feed.load()
  await custom.serve()
  let fail = (_error: Error): void => {}
  const failed = new Promise<Error>((resolve) => {
    fail = resolve
  })
  const following = feed.run(stop.signal).catch((error: unknown) => {
    failing = 'the store watch ended'
    log.fatal({ err: error }, 'the store watch ended; restart the server')
    fail(error instanceof Error ? error : new Error(String(error)))
  })
  const loops: Promise<unknown>[] = [following]
  undo.push(() => {
    stop.abort()
    return Promise.all(loops)
  })
  await ensureNamespaces(registry)
  const rbac = await startRbac(registry, log, stop.signal)
  loops.push(rbac.ended, custom.run(stop.signal), sweepForever(registry, log, stop.signal))
  loops.push(keepNamespaces(registry, log, stop.signal))
  const checks: HealthCheck[] = [
    { name: 'ping', live: true, failing: () => undefined },
    { name: 'store', live: true, failing: () => failing },
    { name: 'shutdown', live: false, failing: () => (closing ? 'the server is shutting down' : undefined) },
  ]
  const close = () => {
    closing = true
  }
  return { registry, authorizer: rbac.authorizer, checks, failed, closing: close }
}

async function sweepForever(registry: Registry, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sweep(registry, log)
    await delay(SWEEP_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}
