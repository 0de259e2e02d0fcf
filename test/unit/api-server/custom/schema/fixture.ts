import type { JsonSchema } from '../../../../../crds/json-schema.ts'
import type { ApiObject } from '../../../../../crds/kind.ts'

/** A kind whose `spec` is an object with these keywords. */
export const kindOf = (spec: object): JsonSchema => ({
  type: 'object',
  properties: { spec: { type: 'object', ...spec } },
})

export const objectOf = (spec: unknown): ApiObject => ({
  apiVersion: 'example.dev/v1',
  kind: 'Thing',
  metadata: { name: 'one' },
  spec,
})
