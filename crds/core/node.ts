/**
 * A Machine as Kubernetes' tools know machines: `kubectl get nodes`, `describe node`, `cordon`, `taint` and `drain`
 * work on it. Nothing of a Node is stored: what is read comes from the Machine, what is written goes into it.
 */
import * as z from 'zod'
import type { Kind, ObjectOf } from '../kind.ts'
import { Machine } from '../machine.ts'
import { Quantity } from '../metadata.ts'
import { defineBuiltIn, recordAt, recordsAt } from './built-in.ts'
import { atomicList, keyedList, StringMap } from './lists.ts'
import { NODE_COLUMNS } from './node-columns.ts'
import { absorbNode, projectNode } from './node-view.ts'
import { CoreConditions } from './references.ts'
import { oneOf } from './violations.ts'

const Taint = z.strictObject({
  key: z.string().min(1),
  value: z.string().optional(),
  effect: z.string(),
  timeAdded: z.string().optional(),
})

const Info = z.strictObject({
  machineID: z.string(),
  systemUUID: z.string(),
  bootID: z.string(),
  kernelVersion: z.string(),
  osImage: z.string(),
  containerRuntimeVersion: z.string(),
  kubeletVersion: z.string().describe("The agent's version."),
  kubeProxyVersion: z.string(),
  operatingSystem: z.string(),
  architecture: z.string(),
})

export const Node = defineBuiltIn({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  scope: 'Cluster',
  description: 'A Machine, as tools made for Kubernetes see it. Its agent makes the Machine; nobody makes a Node.',
  verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  selectableFields: ['spec.unschedulable'],
  view: { of: Machine as unknown as Kind, project: projectNode, absorb: absorbNode },
  fields: {
    spec: z
      .strictObject({
        unschedulable: z.boolean().optional().describe('True: nothing new is placed here (kubectl cordon).'),
        taints: atomicList(Taint).optional().describe('Keep away what does not tolerate them.'),
        podCIDR: z.string().optional(),
        podCIDRs: atomicList(z.string()).optional(),
        providerID: z.string().optional(),
      })
      .optional(),
    status: z
      .strictObject({
        addresses: keyedList(z.strictObject({ type: z.string(), address: z.string() }), 'type').optional(),
        capacity: z.record(z.string(), Quantity).optional(),
        allocatable: z.record(z.string(), Quantity).optional(),
        conditions: CoreConditions.optional(),
        daemonEndpoints: z.strictObject({ kubeletEndpoint: z.strictObject({ Port: z.int() }).optional() }).optional(),
        nodeInfo: Info.optional(),
        images: atomicList(z.record(z.string(), z.unknown())).optional(),
        config: StringMap.optional(),
      })
      .optional(),
  },
  columns: NODE_COLUMNS,
  check: (object) =>
    recordsAt(recordAt(object, 'spec'), 'taints').flatMap(({ effect }, at) =>
      oneOf(['spec', 'taints', at, 'effect'], effect, ['NoExecute', 'NoSchedule', 'PreferNoSchedule']),
    ),
})
export type Node = ObjectOf<typeof Node>
