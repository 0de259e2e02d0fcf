import * as z from 'zod'
import type { ObjectOf } from '../kind.ts'
import { defineBuiltIn } from './built-in.ts'
import { AGE } from './columns.ts'

export const Lease = defineBuiltIn({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  scope: 'Namespaced',
  unconditionalUpdate: false,
  description: 'A claim that its holder renews: heartbeats and leadership.',
  fields: {
    spec: z
      .strictObject({
        holderIdentity: z.string().nullish(),
        leaseDurationSeconds: z.int().min(1).nullish(),
        acquireTime: z.string().nullish(),
        renewTime: z.string().nullish(),
        leaseTransitions: z.int().min(0).nullish(),
        preferredHolder: z.string().nullish(),
        strategy: z.string().nullish(),
      })
      .optional(),
  },
  columns: [{ name: 'Holder', type: 'string', jsonPath: '.spec.holderIdentity', description: 'Who holds it.' }, AGE],
})
export type Lease = ObjectOf<typeof Lease>
