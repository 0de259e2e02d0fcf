/** A type with one field of every sort, for tests of how objects divide. */
import { type MapType, typeOf } from '../../../../../api-server/registry/managed-fields/schema.ts'

const string = { type: 'string' }

export const TOY = typeOf({
  type: 'object',
  properties: {
    image: string,
    replicas: { type: 'integer' },
    labels: { type: 'object', additionalProperties: string },
    env: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: string, value: string, more: string } },
    },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['protocol', 'port'],
      items: { type: 'object', properties: { port: { type: 'integer' }, protocol: { ...string, default: 'TCP' } } },
    },
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: string },
    args: { type: 'array', items: string },
    ref: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: string } },
    rolling: { type: 'object', properties: { surge: string, skew: string } },
    free: { 'x-kubernetes-preserve-unknown-fields': true },
  },
}) as MapType
