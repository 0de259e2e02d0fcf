import * as z from 'zod'
import { FLOTILLA } from './group.ts'
import { defineKind, type ObjectOf } from './kind.ts'
import { Conditions, Quantity, Taint } from './metadata.ts'

const Resources = z.record(z.string(), Quantity)

const UpdateSlot = z.strictObject({
  name: z.string(),
  version: z.string().optional(),
  state: z.string().optional(),
  booted: z.boolean().optional(),
})

export const Machine = defineKind({
  ...FLOTILLA,
  kind: 'Machine',
  plural: 'machines',
  shortNames: ['ma'],
  scope: 'Cluster',
  status: true,
  description:
    'A Linux machine of the fleet. Its agent registers it and reports what it sees; users label, taint and cordon it.',
  selectableFields: [],
  fields: {
    spec: z
      .strictObject({
        unschedulable: z.boolean().optional().describe('True: nothing new is placed here (kubectl cordon).'),
        taints: z.array(Taint).optional().describe('Keep away what does not tolerate them.'),
        desiredUpdate: z
          .strictObject({
            version: z.string(),
            url: z.string().optional(),
            sha256: z.string().optional(),
            compatible: z.string().optional(),
            allowReboot: z.boolean().optional(),
            policy: z.string().optional(),
          })
          .optional()
          .describe('The system release this machine should run; written by the update controller.'),
      })
      .optional(),
    status: z
      .strictObject({
        machineID: z.string().optional().describe('32 hex digits of /etc/machine-id.'),
        bootID: z.string().optional().describe('Changes with every boot.'),
        addresses: z
          .array(z.strictObject({ type: z.enum(['InternalIP', 'ExternalIP', 'Hostname']), address: z.string() }))
          .optional(),
        capacity: Resources.optional().describe('What the machine has: cpu, memory, units.'),
        allocatable: Resources.optional().describe('What units may use of it.'),
        conditions: Conditions.optional(),
        osImage: z.string().optional(),
        osVersion: z.string().optional(),
        kernelVersion: z.string().optional(),
        architecture: z.string().optional(),
        agentVersion: z.string().optional(),
        systemdVersion: z.string().optional(),
        unitDriver: z.string().optional().describe('What runs units here: system, user or process.'),
        agent: z
          .strictObject({ address: z.string(), port: z.int().min(1).max(65535) })
          .optional()
          .describe('Where the API server reaches the agent for logs and exec.'),
        keyHashes: z
          .array(z.string())
          .optional()
          .describe('sha256 of the public keys this machine may authenticate with; removing one revokes it.'),
        updateSlots: z.array(UpdateSlot).optional(),
        observedGeneration: z.int().optional(),
      })
      .optional(),
  },
  columns: [
    {
      name: 'Ready',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: 'The agent answers and can run units.',
    },
    {
      name: 'Address',
      type: 'string',
      jsonPath: '.status.addresses[0].address',
      description: 'Where the machine is reached.',
    },
    { name: 'Driver', type: 'string', jsonPath: '.status.unitDriver', description: 'What runs units there.' },
    {
      name: 'Cordoned',
      type: 'boolean',
      jsonPath: '.spec.unschedulable',
      description: 'Nothing new is placed there.',
      priority: 1,
    },
    { name: 'OS', type: 'string', jsonPath: '.status.osImage', description: 'Operating system.', priority: 1 },
    { name: 'Kernel', type: 'string', jsonPath: '.status.kernelVersion', description: 'Kernel release.', priority: 1 },
    {
      name: 'Machine-ID',
      type: 'string',
      jsonPath: '.status.machineID',
      description: 'Identity of the installation.',
      priority: 1,
    },
    { name: 'Version', type: 'string', jsonPath: '.status.agentVersion', description: 'Version of the agent.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since it joined.' },
  ],
})
export type Machine = ObjectOf<typeof Machine>
