/** RBAC at work: the grants follow the cache, the built-in roles are there, the aggregated ones are kept current. */
import type { Logger } from 'pino'
import { type Authorizer, createAuthorizer } from '../auth/rbac/authorizer.ts'
import type { Registry } from '../registry/registry.ts'
import { aggregateRoles, keepCurrent } from './aggregate-roles.ts'
import { ensureRoles } from './ensure-roles.ts'
import { liveGrants } from './live-grants.ts'
import { liveSources } from './live-sources.ts'

export interface Rbac {
  readonly authorizer: Authorizer
  /** Settles after `signal` has aborted, when nothing is written any more. */
  readonly ended: Promise<void>
}

/** `view` is gathered by `edit`, and that by `admin`. */
const MAX_DEPTH = 3

/** Resolves when the built-in roles can be relied on, or when the store takes no writes: reads go on then. */
export async function startRbac(registry: Registry, log: Logger, signal: AbortSignal): Promise<Rbac> {
  const authorizer = createAuthorizer(liveGrants(registry.feed), liveSources(registry.feed))
  let ensured = false
  const pass = async (): Promise<boolean> => {
    if (!ensured) await ensureRoles(registry)
    ensured = true
    return aggregateRoles(registry)
  }
  try {
    for (let depth = 0; depth < MAX_DEPTH; depth++) if (!(await pass())) break
  } catch (error) {
    log.warn({ err: error }, 'built-in roles not written, will retry')
  }
  return { authorizer, ended: keepCurrent(registry, pass, log, signal) }
}
