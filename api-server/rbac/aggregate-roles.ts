/**
 * Writes into every aggregated cluster role the rules of the roles that it gathers, whenever one of them changes.
 * Level-triggered: each pass looks at all of them, so what a crash or a lost write left behind is found by the next.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { ClusterRole } from '../../crds/index.ts'
import type { ApiObject, Kind } from '../../crds/kind.ts'
import { aggregatedRules, isAggregated } from '../auth/rbac/aggregation.ts'
import type { RoleObject } from '../auth/rbac/policy.ts'
import { changesOf } from '../registry/changes-of.ts'
import { objectOf } from '../registry/entry.ts'
import type { Registry } from '../registry/registry.ts'

const RETRY_AFTER_MS = 1_000

/** Makes a `pass` whenever a cluster role changed, and again after one that failed. Ends when `signal` aborts. */
export async function keepCurrent(
  registry: Registry,
  pass: () => Promise<unknown>,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const changes = changesOf(registry.feed.cache(ClusterRole), signal)
  while (!signal.aborted) {
    changes.seen()
    try {
      await pass()
      await changes.next()
    } catch (error) {
      if (signal.aborted) return
      log.warn({ err: error }, 'cluster roles not aggregated, will retry')
      await delay(RETRY_AFTER_MS, undefined, { signal }).catch(() => undefined)
    }
  }
}

/** One pass, true if it wrote. A role that gathers from one that gathers takes as many passes as they are deep. */
export async function aggregateRoles(registry: Registry): Promise<boolean> {
  let wrote = false
  const cache = registry.feed.cache(ClusterRole)
  const roles = [...cache.entries.from('')].map((entry) => objectOf(entry) as unknown as RoleObject)
  for (const role of roles.filter(isAggregated)) {
    const rules = aggregatedRules(role, roles)
    if (isDeepStrictEqual(rules, role.rules ?? [])) continue
    const place = { kind: ClusterRole as Kind, namespace: undefined, name: role.metadata.name }
    const change = (current: ApiObject): ApiObject =>
      isAggregated(current as unknown as RoleObject) ? { ...current, rules: structuredClone(rules) } : current
    if (registry.find(place) === undefined) continue
    await registry.update(place, change, undefined)
    wrote = true
  }
  return wrote
}
