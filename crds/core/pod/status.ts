import * as z from 'zod'
import { Quantity } from '../../metadata.ts'
import { atomicList, keyedList } from '../lists.ts'
import { CoreConditions } from '../references.ts'
import { Resources } from './resources.ts'

const ContainerState = z.strictObject({
  waiting: z.strictObject({ reason: z.string().optional(), message: z.string().optional() }).optional(),
  running: z.strictObject({ startedAt: z.string().nullish() }).optional(),
  terminated: z
    .strictObject({
      exitCode: z.int(),
      signal: z.int().optional(),
      reason: z.string().optional(),
      message: z.string().optional(),
      startedAt: z.string().nullish(),
      finishedAt: z.string().nullish(),
      containerID: z.string().optional(),
    })
    .optional(),
})

const ContainerStatus = z.strictObject({
  name: z.string(),
  state: ContainerState.optional(),
  lastState: ContainerState.optional(),
  ready: z.boolean().default(false),
  started: z.boolean().optional(),
  restartCount: z.int().default(0),
  image: z.string().default(''),
  imageID: z.string().default(''),
  containerID: z.string().optional(),
  resources: Resources.optional(),
  allocatedResources: z.record(z.string(), Quantity).optional(),
})
const Statuses = atomicList(ContainerStatus).optional()

export const PodStatus = z.strictObject({
  phase: z.enum(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown']).optional(),
  conditions: CoreConditions.optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  nominatedNodeName: z.string().optional(),
  hostIP: z.string().optional(),
  hostIPs: atomicList(z.strictObject({ ip: z.string() })).optional(),
  podIP: z.string().optional(),
  podIPs: keyedList(z.strictObject({ ip: z.string() }), 'ip').optional(),
  startTime: z.string().nullish(),
  qosClass: z.string().optional(),
  resize: z.string().optional(),
  initContainerStatuses: Statuses,
  containerStatuses: Statuses,
  ephemeralContainerStatuses: Statuses,
  observedGeneration: z.int().optional(),
})
export type PodStatus = z.output<typeof PodStatus>
