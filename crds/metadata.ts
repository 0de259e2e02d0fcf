/** Object metadata and conditions: the parts that every kind shares. */
import * as z from 'zod'

export const OwnerReference = z.strictObject({
  apiVersion: z.string().min(1),
  kind: z.string().min(1),
  name: z.string().min(1),
  uid: z.string().min(1),
  controller: z.boolean().optional(),
  blockOwnerDeletion: z.boolean().optional(),
})

const StringMap = z.record(z.string(), z.string())

/** Names, labels and the rest are checked by the registry, which knows the kind's own rules; here is only the shape. */
export const ObjectMeta = z.strictObject({
  name: z.string().optional(),
  generateName: z.string().optional(),
  namespace: z.string().optional(),
  selfLink: z.string().optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  generation: z.int().optional(),
  creationTimestamp: z.string().nullish(),
  deletionTimestamp: z.string().nullish(),
  deletionGracePeriodSeconds: z.int().nullish(),
  labels: StringMap.nullish(),
  annotations: StringMap.nullish(),
  finalizers: z
    .array(z.string())
    .meta({ 'x-kubernetes-list-type': 'set', 'x-kubernetes-patch-strategy': 'merge' })
    .nullish(),
  ownerReferences: z
    .array(OwnerReference)
    .meta({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      'x-kubernetes-patch-merge-key': 'uid',
      'x-kubernetes-patch-strategy': 'merge',
    })
    .nullish(),
  managedFields: z.array(z.unknown()).nullish(),
})

/** One fact about an object, in the form every Kubernetes tool reads. */
export const Condition = z.strictObject({
  type: z.string().min(1).describe('What the condition is about, for example Ready.'),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string().describe('One CamelCase word for machines.'),
  message: z.string().describe('One sentence for people.'),
  lastTransitionTime: z.string().describe('When status last changed.'),
  observedGeneration: z.int().optional().describe('Generation of the spec this was said about.'),
})
export type Condition = z.output<typeof Condition>

export const Conditions = z
  .array(Condition)
  .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })

/** A Kubernetes quantity (`500m`, `2Gi`), or a plain number. */
export const Quantity = z
  .union([z.string().regex(/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+|[KMGTPE]i|[numkMGTPE])?$/), z.number()])
  .meta({ 'x-kubernetes-int-or-string': true })

/** A whole number, or a percentage such as `25%`. */
export const CountOrPercent = z
  .union([z.int().min(0), z.string().regex(/^(100|[1-9]?\d)%$/)])
  .meta({ 'x-kubernetes-int-or-string': true })

/** A label selector as in every Kubernetes object. */
export const LabelSelector = z.strictObject({
  matchLabels: StringMap.optional().describe('Labels that must all be there with these values.'),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string().min(1),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
        values: z.array(z.string()).optional(),
      }),
    )
    .optional()
    .describe('Rules that must all hold.'),
})
export type LabelSelector = z.output<typeof LabelSelector>

/** Keeps pods and units away from a machine unless they tolerate it. */
export const Taint = z.strictObject({
  key: z.string().min(1),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
  timeAdded: z.string().optional(),
})

export const Toleration = z.strictObject({
  key: z.string().optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.int().optional(),
})
