/** The definition of a users' own kind: what it looks like and how it may be named. Its life is the registry's. */
import * as z from 'zod'
import type { ApiObject, ObjectOf, Violation } from '../kind.ts'
import { defineBuiltIn, fill, isRecord, recordAt, recordsAt } from './built-in.ts'
import { CREATED_AT } from './columns.ts'
import { atomicList } from './lists.ts'
import { serviceName as dns1035 } from './names.ts'
import { CoreConditions } from './references.ts'
import { because, oneOf, required } from './violations.ts'

const Names = z.strictObject({
  plural: z.string().describe('As in URLs: lower case.'),
  kind: z.string().describe('As in manifests: CamelCase.'),
  singular: z.string().optional(),
  listKind: z.string().optional(),
  shortNames: atomicList(z.string()).optional(),
  categories: atomicList(z.string()).optional(),
})

const PrinterColumn = z.strictObject({
  name: z.string(),
  type: z.string().describe('integer, number, string, boolean or date.'),
  format: z.string().optional(),
  description: z.string().optional(),
  priority: z.int().optional(),
  jsonPath: z.string(),
})

const Subresources = z.strictObject({
  status: z.strictObject({}).optional(),
  scale: z
    .strictObject({
      specReplicasPath: z.string(),
      statusReplicasPath: z.string(),
      labelSelectorPath: z.string().optional(),
    })
    .optional(),
})

const Version = z.strictObject({
  name: z.string(),
  served: z.boolean(),
  storage: z.boolean(),
  deprecated: z.boolean().optional(),
  deprecationWarning: z.string().optional(),
  schema: z
    .strictObject({ openAPIV3Schema: z.record(z.string(), z.unknown()).optional() })
    .optional()
    .describe('A structural schema: what is not in it is not stored.'),
  subresources: Subresources.optional(),
  additionalPrinterColumns: atomicList(PrinterColumn).optional(),
  selectableFields: atomicList(z.strictObject({ jsonPath: z.string() })).optional(),
})

export const CustomResourceDefinition = defineBuiltIn({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  scope: 'Cluster',
  status: true,
  generation: true,
  unconditionalUpdate: false,
  description: 'Adds a kind to the API.',
  fields: {
    spec: z.strictObject({
      group: z.string(),
      names: Names,
      scope: z.string().describe('Cluster or Namespaced.'),
      versions: atomicList(Version),
      conversion: z
        .strictObject({ strategy: z.string(), webhook: z.record(z.string(), z.unknown()).optional() })
        .optional(),
      preserveUnknownFields: z.boolean().optional(),
    }),
    status: z
      .strictObject({
        acceptedNames: Names.optional(),
        storedVersions: atomicList(z.string()).optional(),
        conditions: CoreConditions.optional(),
        observedGeneration: z.int().optional(),
      })
      .optional(),
  },
  columns: [CREATED_AT],
  complete: completeDefinition,
  check: checkDefinition,
})
export type CustomResourceDefinition = ObjectOf<typeof CustomResourceDefinition>

function completeDefinition(object: ApiObject): void {
  const { spec } = object
  if (!isRecord(spec)) return
  fill(spec, { conversion: { strategy: 'None' } })
  const names = recordAt(spec, 'names')
  const kind = names?.kind
  if (typeof kind === 'string') fill(names, { singular: kind.toLowerCase(), listKind: `${kind}List` })
}

function checkDefinition(object: ApiObject, previous: ApiObject | undefined): Violation[] {
  const spec = recordAt(object, 'spec') ?? {}
  const names = recordAt(spec, 'names') ?? {}
  const wanted = `${names.plural}.${spec.group}`
  const violations: Violation[] = []
  if (object.metadata.name !== wanted)
    violations.push({ path: ['metadata', 'name'], message: 'must be spec.names.plural+"."+spec.group' })
  return [
    ...violations,
    ...checkGroup(spec.group),
    ...checkNames(names),
    ...oneOf(['spec', 'scope'], spec.scope, ['Cluster', 'Namespaced']),
    ...oneOf(['spec', 'conversion', 'strategy'], recordAt(spec, 'conversion')?.strategy, ['None']),
    ...checkVersions(spec),
    ...checkFixed(spec, recordAt(previous, 'spec')),
  ]
}

function checkGroup(group: unknown): Violation[] {
  const labels = String(group).split('.')
  const message = labels.map(dns1035).find((wrong) => wrong !== undefined)
  if (message) return because(['spec', 'group'], message)
  return labels.length > 1 ? [] : because(['spec', 'group'], 'should be a domain with at least one dot')
}

function checkNames(names: Record<string, unknown>): Violation[] {
  const path = (field: string) => ['spec', 'names', field]
  const lower = (field: string) => because(path(field), dns1035(String(names[field] ?? '').toLowerCase()))
  return [
    ...because(path('plural'), dns1035(String(names.plural))),
    ...because(path('singular'), dns1035(String(names.singular))),
    ...lower('kind'),
    ...lower('listKind'),
    ...(names.kind === names.listKind ? because(path('listKind'), 'kind and listKind may not be the same') : []),
    ...(Array.isArray(names.shortNames) ? names.shortNames : []).flatMap((name, at) =>
      because([...path('shortNames'), at], dns1035(String(name))),
    ),
  ]
}

function checkVersions(spec: Record<string, unknown>): Violation[] {
  const versions = recordsAt(spec, 'versions')
  const path = ['spec', 'versions']
  const names = versions.map(({ name }) => String(name))
  const violations = versions.flatMap((version, at) => [
    ...because([...path, at, 'name'], dns1035(String(version.name))),
    ...(recordAt(recordAt(version, 'schema'), 'openAPIV3Schema') === undefined
      ? [required(...path, at, 'schema', 'openAPIV3Schema')]
      : []),
  ])
  const say = (message: string) => violations.push({ path, value: names, message })
  if (new Set(names).size < names.length) say('must contain unique version names')
  if (versions.filter(({ storage }) => storage === true).length !== 1)
    say('must have exactly one version marked as storage version')
  if (!versions.some(({ served }) => served === true)) say('must have at least one served version')
  return violations
}

/** Objects are stored under these names. */
function checkFixed(spec: Record<string, unknown>, previous: Record<string, unknown> | undefined): Violation[] {
  if (previous === undefined) return []
  const changed = ['group', 'scope'].filter((field) => spec[field] !== previous[field])
  return changed.map((field) => ({ path: ['spec', field], message: 'field is immutable' }))
}
