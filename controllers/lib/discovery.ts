/** What the server says it has: the aggregated form of discovery (Kubernetes 1.30 on), two documents for everything. */
import * as z from 'zod'
import type { Addressed } from './paths.ts'

export interface Resource extends Addressed {
  readonly kind: string
  readonly verbs: readonly string[]
}

const GROUP = 'apidiscovery.k8s.io'
export const DISCOVERY_TYPES = `application/json;g=${GROUP};v=v2;as=APIGroupDiscoveryList,application/json`

const Discovery = z.object({
  kind: z.literal('APIGroupDiscoveryList'),
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string().optional() }).optional(),
      versions: z.array(
        z.object({
          version: z.string(),
          resources: z
            .array(
              z.object({
                resource: z.string(),
                responseKind: z.object({ kind: z.string() }).nullish(),
                scope: z.enum(['Cluster', 'Namespaced']),
                verbs: z.array(z.string()).nullish(),
              }),
            )
            .nullish(),
        }),
      ),
    }),
  ),
})

/** Throws where the answer is no discovery document. A resource in several versions appears once, in the first. */
export function resourcesIn(document: unknown): Resource[] {
  const found = new Map<string, Resource>()
  for (const { metadata, versions } of Discovery.parse(document).items)
    for (const { version, resources } of versions)
      for (const { resource: plural, responseKind, scope, verbs } of resources ?? []) {
        const group = metadata?.name ?? ''
        const key = `${group}/${plural}`
        if (responseKind && !found.has(key))
          found.set(key, { group, version, plural, scope, kind: responseKind.kind, verbs: verbs ?? [] })
      }
  return [...found.values()]
}
