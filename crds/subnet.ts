import * as z from 'zod'
import { FLOTILLA } from './group.ts'
import { defineKind, type ObjectOf } from './kind.ts'
import { Conditions } from './metadata.ts'

export const Subnet = defineKind({
  ...FLOTILLA,
  kind: 'Subnet',
  plural: 'subnets',
  shortNames: ['sn'],
  scope: 'Cluster',
  status: true,
  description: 'An address range: a root range that machines lease from, or the part of it that one machine holds.',
  selectableFields: ['spec.machineName', 'spec.parent'],
  fields: {
    spec: z.strictObject({
      cidr: z.string().min(1).describe('The range, for example 10.244.0.0/16.'),
      prefixLength: z.int().min(1).max(128).optional().describe('Root: size of each lease.'),
      min: z.string().optional().describe('Root: first range to lease.'),
      max: z.string().optional().describe('Root: last range to lease.'),
      backend: z
        .strictObject({
          type: z.enum(['vxlan', 'host-gw', 'alloc']).default('vxlan'),
          vni: z.int().min(1).max(16_777_215).optional(),
          port: z.int().min(1).max(65_535).optional(),
          directRouting: z.boolean().optional(),
        })
        .optional()
        .describe('Root: how packets travel between machines.'),
      parent: z.string().optional().describe('Leased: the root range it comes from.'),
      machineName: z.string().optional().describe('Leased: who holds it.'),
      publicIP: z.string().optional(),
      vtepMAC: z.string().optional(),
      reservation: z.boolean().optional().describe('Leased: never expires.'),
    }),
    status: z
      .strictObject({
        expiry: z.string().optional(),
        programmedGeneration: z.int().optional(),
        free: z.int().optional(),
        used: z.int().optional(),
        conditions: Conditions.optional(),
        observedGeneration: z.int().optional(),
      })
      .optional(),
  },
  columns: [
    { name: 'CIDR', type: 'string', jsonPath: '.spec.cidr', description: 'The range.' },
    { name: 'Backend', type: 'string', jsonPath: '.spec.backend.type', description: 'How packets travel.' },
    { name: 'Machine', type: 'string', jsonPath: '.spec.machineName', description: 'Who holds it.' },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: 'In use.',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
  ],
})
export type Subnet = ObjectOf<typeof Subnet>
