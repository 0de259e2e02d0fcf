/**
 * zod → the structural schema that CustomResourceDefinitions and OpenAPI want (docs/architecture, "one schema").
 * What zod emits and Kubernetes forbids is mended here and nowhere else.
 */
import * as z from 'zod'
import type { Kind } from './kind.ts'

export interface JsonSchema {
  type?: string
  format?: string
  description?: string
  properties?: Record<string, JsonSchema>
  additionalProperties?: JsonSchema | boolean
  items?: JsonSchema
  required?: string[]
  [keyword: string]: unknown
}

const INT32_MAX = 2 ** 31 - 1
/** What `kubectl explain` says of the two fields that every kind has in common, unless the kind says it better. */
const COMMON_FIELDS = { spec: 'What is wanted.', status: 'What was last seen to be so.' }

/** Schemas of every top-level field but apiVersion, kind and metadata, and which of them must be there. */
export function fieldSchemas(kind: Kind): { properties: Record<string, JsonSchema>; required: string[] } {
  const { required = [], ...schema } = kind.structure?.openApi ?? structuralSchema(kind.schema)
  const properties = { ...schema.properties }
  for (const envelope of ['apiVersion', 'kind', 'metadata']) delete properties[envelope]
  for (const [name, description] of Object.entries(COMMON_FIELDS)) {
    const schema = properties[name]
    if (schema && !kind.structure) properties[name] = { description, ...schema }
  }
  return { properties, required: required.filter((name) => name in properties) }
}

export function structuralSchema(schema: z.ZodType): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    cycles: 'throw',
    unrepresentable: 'throw',
    override: ({ jsonSchema }) => mend(jsonSchema as JsonSchema),
  }) as JsonSchema
  return rest
}

function mend(schema: JsonSchema): void {
  if (schema.properties) delete schema.additionalProperties
  delete schema.propertyNames
  if (schema.type === 'integer') mendInteger(schema)
  if (schema['x-kubernetes-int-or-string']) for (const keyword of ['anyOf', 'oneOf', 'type']) delete schema[keyword]
  else if (isEmpty(schema)) schema['x-kubernetes-preserve-unknown-fields'] = true
}

/** zod bounds every int by what a double holds; Kubernetes says it with a format. */
function mendInteger(schema: JsonSchema): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
  schema.format = Number(schema.maximum ?? Number.POSITIVE_INFINITY) <= INT32_MAX ? 'int32' : 'int64'
}

function isEmpty(schema: JsonSchema): boolean {
  return Object.keys(schema).every((keyword) => keyword === 'description' || keyword === 'nullable')
}
