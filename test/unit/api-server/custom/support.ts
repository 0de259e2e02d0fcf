/** Definitions as the cache has them. */
import type { Definition, Names, Version } from '../../../../api-server/custom/definition.ts'

interface Options {
  readonly group?: string
  /** When it was made, after some moment. */
  readonly second?: number
  readonly versions?: readonly Version[]
}

export const VERSION: Version = {
  name: 'v1',
  served: true,
  storage: true,
  schema: { openAPIV3Schema: { type: 'object' } },
}

export function definition(
  names: Names,
  { group = 'example.com', second = 0, versions = [VERSION] }: Options = {},
): Definition {
  const metadata = {
    name: `${names.plural}.${group}`,
    uid: `uid-${names.plural}`,
    generation: 1,
    creationTimestamp: `2026-01-01T00:00:0${second}Z`,
  }
  const spec = { group, names, scope: 'Namespaced', versions: [...versions] }
  return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata, spec }
}
