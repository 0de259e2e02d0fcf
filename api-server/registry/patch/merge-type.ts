/**
 * How a strategic patch merges into an object: which lists by which key, which objects not at all. Compiled once a kind
 * from its schema, where `crds/` says it as Kubernetes does (x-kubernetes-patch-merge-key, -patch-strategy).
 */
import { fieldSchemas, type JsonSchema, structuralSchema } from '../../../crds/json-schema.ts'
import type { Kind } from '../../../crds/kind.ts'
import { ObjectMeta } from '../../../crds/metadata.ts'

export interface MergeType {
  readonly fields: ReadonlyMap<string, MergeType>
  /** Of a list's elements, or of a map's values. */
  readonly elements: MergeType | undefined
  /** What a list's elements are known by; '' for primitives that are a set; undefined: the list is replaced. */
  readonly mergeKey: string | undefined
  /** An object that is replaced as a whole. */
  readonly isReplaced: boolean
}

/** Of what no schema describes: objects merge, lists are replaced. */
export const UNTYPED: MergeType = { fields: new Map(), elements: undefined, mergeKey: undefined, isReplaced: false }

const compiled = new WeakMap<Kind, MergeType>()

/** Of a kind's objects. */
export function mergeTypeOf(kind: Kind): MergeType {
  let type = compiled.get(kind)
  if (type === undefined) {
    const { properties } = fieldSchemas(kind)
    type = mergeType({ properties: { ...properties, metadata: structuralSchema(ObjectMeta) } })
    compiled.set(kind, type)
  }
  return type
}

export function mergeType(schema: JsonSchema): MergeType {
  const { properties = {}, items, additionalProperties } = schema
  const inner = items ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
  const strategy = String(schema['x-kubernetes-patch-strategy'] ?? '').split(',')
  return {
    fields: new Map(Object.entries(properties).map(([name, field]) => [name, mergeType(field)])),
    elements: inner && mergeType(inner),
    mergeKey: strategy.includes('merge') ? String(schema['x-kubernetes-patch-merge-key'] ?? '') : undefined,
    isReplaced: strategy.includes('replace'),
  }
}

/** Of the value that an object of `type` has at `field`. */
export function fieldType(type: MergeType, field: string): MergeType {
  return type.fields.get(field) ?? type.elements ?? UNTYPED
}
