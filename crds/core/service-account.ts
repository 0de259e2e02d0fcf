import * as z from 'zod'
import type { ObjectOf } from '../kind.ts'
import { defineBuiltIn } from './built-in.ts'
import { AGE } from './columns.ts'
import { atomicList, keyedList } from './lists.ts'
import { LocalObjectReference, ObjectReference } from './references.ts'

export const ServiceAccount = defineBuiltIn({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  scope: 'Namespaced',
  description: 'A name that role bindings can grant something to. Stored only: nothing runs as it yet.',
  fields: {
    secrets: keyedList(ObjectReference, 'name').optional(),
    imagePullSecrets: atomicList(LocalObjectReference).optional(),
    automountServiceAccountToken: z.boolean().optional(),
  },
  columns: [
    {
      name: 'Secrets',
      type: 'string',
      jsonPath: '.secrets',
      description: 'How many Secrets it may use.',
      cell: ({ secrets }) => (Array.isArray(secrets) ? secrets.length : 0),
    },
    AGE,
  ],
})
export type ServiceAccount = ObjectOf<typeof ServiceAccount>
