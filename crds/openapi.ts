/**
 * OpenAPI documents from the kinds: v3 (one a group and version) for kubectl ≥ 1.24, and the v2 document that
 * api-server/http encodes as protobuf for older ones. kubectl validates by the first and explains by either.
 */
import { fieldSchemas, type JsonSchema, structuralSchema } from './json-schema.ts'
import type { Kind } from './kind.ts'
import { ObjectMeta } from './metadata.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const ENVELOPE = {
  apiVersion: { type: 'string', description: 'Versioned schema of this representation of the object.' },
  kind: { type: 'string', description: 'The REST resource that this object represents.' },
}

/** `dev.flotilla.v1.Unit`, `io.k8s.api.core.v1.Event`: names that kubectl's scheme expects. */
export function schemaName(kind: Kind): string {
  if (kind.structure) return `${kind.group.split('.').toReversed().join('.')}.${kind.version}.${kind.kind}`
  if (kind.group === '') return `io.k8s.api.core.${kind.version}.${kind.kind}`
  if (kind.group.endsWith('.k8s.io') || !kind.group.includes('.'))
    return `io.k8s.api.${kind.group.split('.')[0]}.${kind.version}.${kind.kind}`
  return `${kind.group.split('.').toReversed().join('.')}.${kind.version}.${kind.kind}`
}

/** Schemas of `kinds` and their lists; `refPrefix` is `#/components/schemas/` (v3) or `#/definitions/` (v2). */
export function schemas(kinds: readonly Kind[], refPrefix: string): Record<string, JsonSchema> {
  const all: Record<string, JsonSchema> = {
    [`${META}.ObjectMeta`]: { ...structuralSchema(ObjectMeta), description: 'Metadata that every object has.' },
    [`${META}.ListMeta`]: {
      type: 'object',
      description: 'Metadata of a list.',
      properties: {
        continue: { type: 'string' },
        remainingItemCount: { type: 'integer', format: 'int64' },
        resourceVersion: { type: 'string' },
      },
    },
  }
  for (const kind of kinds) Object.assign(all, ofKind(kind, refPrefix))
  return all
}

function ofKind(kind: Kind, refPrefix: string): Record<string, JsonSchema> {
  const { properties, required } = fieldSchemas(kind)
  const name = schemaName(kind)
  const identity = (kindName: string) => [{ group: kind.group, version: kind.version, kind: kindName }]
  return {
    [name]: {
      type: 'object',
      description: kind.description,
      ...openRoot(kind),
      ...(required.length > 0 && { required }),
      properties: {
        ...ENVELOPE,
        metadata: { $ref: `${refPrefix}${META}.ObjectMeta`, description: 'Standard object metadata.' },
        ...properties,
      },
      'x-kubernetes-group-version-kind': identity(kind.kind),
    },
    [`${name}List`]: {
      type: 'object',
      description: `List of ${kind.kind}.`,
      required: ['items'],
      properties: {
        ...ENVELOPE,
        metadata: { $ref: `${refPrefix}${META}.ListMeta` },
        items: { type: 'array', items: { $ref: `${refPrefix}${name}` } },
      },
      'x-kubernetes-group-version-kind': identity(`${kind.kind}List`),
    },
  }
}

const PRESERVE = 'x-kubernetes-preserve-unknown-fields'

/** A definition may let objects have any field. */
function openRoot({ structure }: Kind): JsonSchema {
  return structure?.openApi[PRESERVE] === true ? { [PRESERVE]: true } : {}
}

/** The path under which kubectl finds a group and version: `api/v1`, `apis/flotilla.dev/v1`. */
export function groupVersionPath(kind: Pick<Kind, 'group' | 'version'>): string {
  return kind.group === '' ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`
}

export function openApiV3(kinds: readonly Kind[]): Record<string, unknown> {
  return {
    openapi: '3.0.0',
    info: { title: 'Flotilla', version: 'v1' },
    paths: Object.assign({}, ...kinds.map(paths)) as Record<string, unknown>,
    components: { schemas: schemas(kinds, '#/components/schemas/') },
  }
}

const FIELD_VALIDATION = { name: 'fieldValidation', in: 'query', schema: { type: 'string' } }

function paths(kind: Kind): Record<string, unknown> {
  const scope = kind.scope === 'Namespaced' ? '/namespaces/{namespace}' : ''
  const collection = `/${groupVersionPath(kind)}${scope}/${kind.plural}`
  const operation = (action: string) => ({
    ...(action === 'get' || action === 'list' ? {} : { parameters: [FIELD_VALIDATION] }),
    responses: {
      '200': {
        description: 'OK',
        content: { 'application/json': { schema: { $ref: `#/components/schemas/${schemaName(kind)}` } } },
      },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: kind.group, version: kind.version, kind: kind.kind },
  })
  return {
    [collection]: { get: operation('list'), post: operation('post') },
    [`${collection}/{name}`]: {
      get: operation('get'),
      put: operation('put'),
      patch: operation('patch'),
      delete: operation('delete'),
    },
  }
}

export type OpenApiV2 = Readonly<{
  swagger: string
  info: { readonly title: string; readonly version: string }
  paths: Record<string, unknown>
  definitions: Record<string, JsonSchema>
}>

/** The Swagger 2 document, before protobuf. */
export function openApiV2(kinds: readonly Kind[]): OpenApiV2 {
  return {
    swagger: '2.0',
    info: { title: 'Flotilla', version: 'v1' },
    paths: Object.assign({}, ...kinds.map(dryRunPath)) as Record<string, unknown>,
    definitions: schemas(kinds, '#/definitions/'),
  }
}

/** Old kubectls offer `--dry-run=server` only for kinds whose PATCH says that it takes the parameter. */
function dryRunPath(kind: Kind): Record<string, unknown> {
  const scope = kind.scope === 'Namespaced' ? '/namespaces/{namespace}' : ''
  return {
    [`/${groupVersionPath(kind)}${scope}/${kind.plural}/{name}`]: {
      patch: {
        parameters: [{ name: 'dryRun', in: 'query', type: 'string', uniqueItems: true }],
        responses: { '200': { description: 'OK' } },
        'x-kubernetes-action': 'patch',
        'x-kubernetes-group-version-kind': { group: kind.group, version: kind.version, kind: kind.kind },
      },
    },
  }
}
