/** How built-in kinds point at other objects, and the conditions of those that have them. */
import * as z from 'zod'
import { atomic, keyedList } from './lists.ts'

/** Any object, in any namespace. */
export const ObjectReference = atomic(
  z.strictObject({
    apiVersion: z.string().optional(),
    kind: z.string().optional(),
    namespace: z.string().optional(),
    name: z.string().optional(),
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    fieldPath: z.string().optional().describe('A part of the object, such as spec.containers{web}.'),
  }),
)

/** An object of a kind that the place fixes, in the same namespace. */
export const LocalObjectReference = atomic(z.strictObject({ name: z.string().default('') }))

/** Built-in conditions may lack the times and the reason that our own kinds always give. */
export const CoreConditions = keyedList(
  z.strictObject({
    type: z.string().min(1),
    status: z.string(),
    reason: z.string().optional(),
    message: z.string().optional(),
    lastTransitionTime: z.string().nullish(),
    lastProbeTime: z.string().nullish(),
    lastUpdateTime: z.string().nullish(),
    lastHeartbeatTime: z.string().nullish(),
    observedGeneration: z.int().optional(),
  }),
  'type',
)

/** A port by number, or by the name it has in the pod. */
export const PortNumberOrName = z.union([z.int(), z.string()]).meta({ 'x-kubernetes-int-or-string': true })
