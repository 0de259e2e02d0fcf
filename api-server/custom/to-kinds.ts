/** From a definition to the kinds that it stands for: one for each version that is served. Pure. */
import type { JsonSchema } from '../../crds/json-schema.ts'
import { ALL_VERBS, type Column, defineCustomKind, type Kind } from '../../crds/kind.ts'
import { type Definition, isDeleting, type Names, type Version } from './definition.ts'
import { compileSchema } from './schema/index.ts'

/** Throws where a schema cannot be compiled, which no definition that was admitted has. */
export function toKinds(definition: Definition, names: Names): Kind[] {
  return definition.spec.versions.filter(({ served }) => served).map((version) => toKind(definition, names, version))
}

/** Kubernetes' own words for what goes on with a kind whose definition is being deleted. */
const ENDING_VERBS = ALL_VERBS.filter((verb) => verb !== 'create')

function toKind(definition: Definition, names: Names, version: Version): Kind {
  const { group, scope, versions } = definition.spec
  const { plural, singular = names.kind.toLowerCase(), shortNames = [], categories = [], kind } = names
  const { subresources, selectableFields = [] } = version
  const openApi = (version.schema?.openAPIV3Schema ?? {}) as JsonSchema
  const stored = versions.find(({ storage }) => storage) ?? version
  const isEnding = isDeleting(definition)
  return defineCustomKind({
    group,
    version: version.name,
    kind,
    plural,
    singular,
    shortNames,
    categories,
    scope: scope === 'Cluster' ? 'Cluster' : 'Namespaced',
    description: String(openApi.description ?? ''),
    columns: columnsOf(version),
    status: subresources?.status !== undefined,
    ...(subresources?.scale && { scale: scaleOf(subresources.scale) }),
    selectableFields: selectableFields.map(({ jsonPath }) => jsonPath.replace(/^\./, '')),
    verbs: isEnding ? ENDING_VERBS : ALL_VERBS,
    isEnding,
    ...(version.deprecated && { deprecation: deprecationOf(version, group, kind) }),
    storedAs: `${group}/${stored.name}`,
    structure: { openApi, ...compileSchema(openApi) },
  })
}

function deprecationOf({ name, deprecationWarning }: Version, group: string, kind: string): string {
  return deprecationWarning ?? `${group}/${name} ${kind} is deprecated`
}

const AGE: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since creation.',
}

/** Definitions that name no columns get the age; those that do get what they name. */
function columnsOf({ additionalPrinterColumns = [] }: Version): Column[] {
  if (additionalPrinterColumns.length === 0) return [AGE]
  return additionalPrinterColumns.map(({ name, type, description = '', priority = 0, jsonPath }) => ({
    name,
    type: type as Column['type'],
    description,
    priority,
    jsonPath,
  }))
}

type Scale = NonNullable<NonNullable<Version['subresources']>['scale']>

function scaleOf({ specReplicasPath, statusReplicasPath, labelSelectorPath }: Scale): NonNullable<Kind['scale']> {
  return { specReplicasPath, statusReplicasPath, ...(labelSelectorPath && { labelSelectorPath }) }
}
