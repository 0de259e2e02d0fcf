/**
 * What a start of the server may do to a built-in role or binding that is there already: add what a newer version
 * brings, never take away what somebody added, and leave alone what is annotated `autoupdate: "false"`. Pure.
 */
import { isDeepStrictEqual } from 'node:util'
import { isAggregated } from './aggregation.ts'
import { AUTO_UPDATE } from './built-in-roles.ts'
import { missingRules } from './coverage.ts'
import type { BindingObject, RoleObject, Subject } from './policy.ts'

/** `existing` with what it lacks of `wanted`; undefined when it lacks nothing. */
export function updatedRole<R extends RoleObject>(existing: R, wanted: RoleObject): R | undefined {
  if (isProtected(existing)) return undefined
  const missing = isAggregated(wanted) ? [] : missingRules(existing.rules ?? [], wanted.rules ?? [])
  const selectors = existing.aggregationRule?.clusterRoleSelectors ?? []
  const lacking = (wanted.aggregationRule?.clusterRoleSelectors ?? []).filter(
    (selector) => !selectors.some((known) => isDeepStrictEqual(known, selector)),
  )
  return changed(existing, {
    ...existing,
    metadata: mergedMetadata(existing, wanted),
    ...(missing.length > 0 && { rules: [...(existing.rules ?? []), ...missing] }),
    ...(lacking.length > 0 && { aggregationRule: { clusterRoleSelectors: [...selectors, ...lacking] } }),
  })
}

/** The same for a binding. One that names another role is somebody's own by now and stays as it is. */
export function updatedBinding<B extends BindingObject>(existing: B, wanted: BindingObject): B | undefined {
  if (isProtected(existing) || existing.roleRef.name !== wanted.roleRef.name) return undefined
  const known = existing.subjects ?? []
  const lacking = (wanted.subjects ?? []).filter((subject) => !known.some((one) => sameSubject(one, subject)))
  return changed(existing, {
    ...existing,
    metadata: mergedMetadata(existing, wanted),
    ...(lacking.length > 0 && { subjects: [...known, ...lacking] }),
  })
}

type WithMetadata = Pick<RoleObject, 'metadata'>

function isProtected({ metadata }: WithMetadata): boolean {
  return metadata.annotations?.[AUTO_UPDATE] === 'false'
}

function mergedMetadata({ metadata: existing }: WithMetadata, { metadata: wanted }: WithMetadata) {
  return {
    ...existing,
    labels: { ...wanted.labels, ...existing.labels },
    annotations: { ...wanted.annotations, ...existing.annotations },
  }
}

function changed<T>(existing: T, next: T): T | undefined {
  return isDeepStrictEqual(existing, next) ? undefined : next
}

function sameSubject(a: Subject, b: Subject): boolean {
  return a.kind === b.kind && a.name === b.name && (a.namespace ?? '') === (b.namespace ?? '')
}
