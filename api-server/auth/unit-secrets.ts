/**
 * Whoever writes a Unit must be allowed to read the Secrets that it names (design D1): what a unit runs can print them.
 * Held on every change of what runs or where, whoever wrote the reference: new content reads an old reference's Secret just
 * as well. Starting, stopping and scaling what is written already shows nothing to anybody.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Identity } from './identity.ts'
import { SOURCES_NAMESPACE, secretsNamedBy, type UnitWithSources } from './machine-sources.ts'
import type { Authorizer } from './rbac/authorizer.ts'

/** The parts of a Unit that are looked at. */
export interface UnitWithSecrets {
  readonly metadata?: unknown
  readonly spec?: unknown
}

/** RBAC's sentence about the first Secret that `next` names and the caller may not get; undefined where all is well. */
export function secretRefusal(
  authorizer: Pick<Authorizer, 'decide'>,
  identity: Identity,
  next: UnitWithSecrets,
  previous: UnitWithSecrets | undefined,
): string | undefined {
  const names = [...new Set(secretsNamedBy(next as UnitWithSources))].sort()
  if (names.length === 0 || (previous !== undefined && isDeepStrictEqual(whatRuns(next), whatRuns(previous))))
    return undefined
  for (const name of names) {
    const asked = { verb: 'get', group: '', resource: 'secrets', namespace: SOURCES_NAMESPACE, name }
    const decision = authorizer.decide(identity, asked)
    if (!decision.allowed) return `a unit may name only Secrets that its writer may read: ${decision.reason}`
  }
  return undefined
}

function whatRuns({ spec }: UnitWithSecrets): object {
  const { desiredState: _state, replicas: _replicas, ...rest } = (spec ?? {}) as Record<string, unknown>
  return rest
}
