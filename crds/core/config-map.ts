import * as z from 'zod'
import type { ObjectOf, Violation } from '../kind.ts'
import { checkBase64 } from './base64.ts'
import { defineBuiltIn } from './built-in.ts'
import { AGE, countKeys } from './columns.ts'
import { checkDataKeys, checkImmutable, checkSize } from './data.ts'
import { StringMap } from './lists.ts'

export const ConfigMap = defineBuiltIn({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  scope: 'Namespaced',
  description: 'Configuration for units and pods to read: text or bytes under names.',
  fields: {
    data: StringMap.optional().describe('Text, by key.'),
    binaryData: StringMap.optional().describe('Bytes in base64, by key; a key is in one of the two only.'),
    immutable: z.boolean().optional().describe('True: data may not change any more.'),
  },
  columns: [
    {
      name: 'Data',
      type: 'integer',
      jsonPath: '.data',
      description: 'How many keys it has.',
      cell: (object) => countKeys(object, 'data', 'binaryData'),
    },
    AGE,
  ],
  check: (object, previous) => [
    ...checkBase64(object, 'binaryData'),
    ...checkDataKeys(object, ['data', 'binaryData']),
    ...checkBothMaps(object),
    ...checkSize(object, ['data', 'binaryData']),
    ...checkImmutable(object, previous, ['data', 'binaryData']),
  ],
})
export type ConfigMap = ObjectOf<typeof ConfigMap>

function checkBothMaps({ data, binaryData }: Record<string, unknown>): Violation[] {
  const keys = new Set(Object.keys((data ?? {}) as object))
  return Object.keys((binaryData ?? {}) as object)
    .filter((key) => keys.has(key))
    .map((key) => ({ path: [`data[${key}]`], value: key, message: 'duplicate of key present in binaryData' }))
}
