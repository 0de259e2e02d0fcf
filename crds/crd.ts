/** CustomResourceDefinitions of our own kinds, for a foreign kube-apiserver (≥ 1.31: selectableFields). */
import { fieldSchemas, type JsonSchema } from './json-schema.ts'
import { type Kind, qualifiedResource } from './kind.ts'

export function customResourceDefinition(kind: Kind): Record<string, unknown> {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: qualifiedResource(kind) },
    spec: {
      group: kind.group,
      scope: kind.scope,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.singular,
        ...(kind.shortNames.length > 0 && { shortNames: [...kind.shortNames] }),
        ...(kind.categories.length > 0 && { categories: [...kind.categories] }),
      },
      versions: [version(kind)],
    },
  }
}

function version(kind: Kind): Record<string, unknown> {
  return {
    name: kind.version,
    served: true,
    storage: true,
    ...(kind.selectableFields.length > 0 && {
      selectableFields: kind.selectableFields.map((path) => ({ jsonPath: `.${path}` })),
    }),
    additionalPrinterColumns: kind.columns.map(({ cell: _cell, ...column }) => column),
    ...((kind.status || kind.scale) && {
      subresources: { ...(kind.status && { status: {} }), ...(kind.scale && { scale: kind.scale }) },
    }),
    schema: { openAPIV3Schema: objectSchema(kind) },
  }
}

function objectSchema(kind: Kind): JsonSchema {
  const { properties, required } = fieldSchemas(kind)
  const { spec, ...others } = properties
  return {
    description: kind.description,
    type: 'object',
    ...(required.length > 0 && { required }),
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      ...(spec && { spec: kind.cel ? { ...spec, 'x-kubernetes-validations': rulesOfSpec(kind) } : spec }),
      ...others,
    },
  }
}

/** Rules are written against the object; as they only speak of `self.spec`, they are stored one level down. */
function rulesOfSpec(kind: Kind): unknown[] {
  return (kind.cel ?? []).map(({ rule, message }) => ({ rule: rule.replaceAll('self.spec.', 'self.'), message }))
}
