import * as z from 'zod'
import { FLOTILLA } from './group.ts'
import { defineKind, type ObjectOf } from './kind.ts'
import { Conditions, CountOrPercent, LabelSelector } from './metadata.ts'

/** locksmith's names are accepted beside ours. */
const Strategy = z.enum(['coordinated', 'immediate', 'off', 'etcd-lock', 'reboot', 'best-effort'])

export const UpdatePolicy = defineKind({
  ...FLOTILLA,
  kind: 'UpdatePolicy',
  plural: 'updatepolicies',
  shortNames: ['up'],
  scope: 'Cluster',
  status: true,
  description: 'Which system release a group of machines should run, and how carefully they get there.',
  fields: {
    spec: z.strictObject({
      machineSelector: LabelSelector.optional().describe('The machines it is about; all when absent.'),
      release: z
        .strictObject({
          version: z.string().min(1),
          url: z.string().optional(),
          sha256: z
            .string()
            .regex(/^[0-9a-f]{64}$/)
            .optional(),
          compatible: z.string().optional(),
        })
        .optional(),
      strategy: Strategy.default('coordinated'),
      maxUnavailable: CountOrPercent.default(1).describe('Machines that may be down for the update at once.'),
      windows: z
        .array(z.strictObject({ start: z.string(), length: z.string(), timezone: z.string().optional() }))
        .optional()
        .describe('When machines may reboot.'),
      stages: z
        .array(
          z.strictObject({
            name: z.string(),
            machineSelector: LabelSelector.optional(),
            percent: z.int().min(1).max(100).optional(),
            pause: z.string().optional(),
          }),
        )
        .optional(),
      healthGates: z
        .array(
          z.strictObject({
            unit: z.string().optional(),
            condition: z.string().optional(),
            timeout: z.string().optional(),
          }),
        )
        .optional(),
      failureBudget: CountOrPercent.optional(),
      failureAction: z.enum(['halt', 'rollback', 'continue']).default('halt'),
      limits: z
        .strictObject({ bandwidth: z.string().optional(), concurrentDownloads: z.int().min(1).optional() })
        .optional(),
      paused: z.boolean().optional(),
    }),
    status: z
      .strictObject({
        phase: z.string().optional(),
        total: z.int().optional(),
        updated: z.int().optional(),
        failed: z.int().optional(),
        holders: z.array(z.string()).optional(),
        haltedReason: z.string().optional(),
        conditions: Conditions.optional(),
        observedGeneration: z.int().optional(),
      })
      .optional(),
  },
  columns: [
    { name: 'Strategy', type: 'string', jsonPath: '.spec.strategy', description: 'How machines are let go.' },
    { name: 'Release', type: 'string', jsonPath: '.spec.release.version', description: 'What they should run.' },
    { name: 'Updated', type: 'integer', jsonPath: '.status.updated', description: 'Machines there already.' },
    { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Where the rollout stands.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
  ],
})
export type UpdatePolicy = ObjectOf<typeof UpdatePolicy>
