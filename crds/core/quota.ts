/**
 * ResourceQuota and LimitRange: nothing enforces them here, so none can be made. Their lists are served, empty,
 * because `kubectl describe namespace` asks for them.
 */
import * as z from 'zod'
import { Quantity } from '../metadata.ts'
import { defineBuiltIn } from './built-in.ts'
import { AGE, CREATED_AT } from './columns.ts'
import { atomicList } from './lists.ts'

const Quantities = z.record(z.string(), Quantity)
const readOnly = { group: '', version: 'v1', scope: 'Namespaced', verbs: ['get', 'list', 'watch'] } as const

export const ResourceQuota = defineBuiltIn({
  ...readOnly,
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  description: 'Not enforced here: the list is always empty.',
  fields: {
    spec: z.strictObject({ hard: Quantities.optional(), scopes: atomicList(z.string()).optional() }).optional(),
    status: z.strictObject({ hard: Quantities.optional(), used: Quantities.optional() }).optional(),
  },
  columns: [
    { name: 'Request', type: 'string', jsonPath: '.spec.hard', description: 'What may be requested.' },
    { name: 'Limit', type: 'string', jsonPath: '.spec.hard', description: 'What may be used.' },
    AGE,
  ],
})

export const LimitRange = defineBuiltIn({
  ...readOnly,
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  description: 'Not enforced here: the list is always empty.',
  fields: {
    spec: z
      .strictObject({
        limits: atomicList(
          z.strictObject({
            type: z.string(),
            max: Quantities.optional(),
            min: Quantities.optional(),
            default: Quantities.optional(),
            defaultRequest: Quantities.optional(),
            maxLimitRequestRatio: Quantities.optional(),
          }),
        ),
      })
      .optional(),
  },
  columns: [CREATED_AT],
})
