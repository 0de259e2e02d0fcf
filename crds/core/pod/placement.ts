/** Where a pod may run. */
import * as z from 'zod'
import { LabelSelector } from '../../metadata.ts'
import { atomic, atomicList } from '../lists.ts'

const Requirement = z.strictObject({
  key: z.string(),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
  values: atomicList(z.string()).optional(),
})
const NodeTerm = atomic(
  z.strictObject({
    matchExpressions: atomicList(Requirement).optional(),
    matchFields: atomicList(Requirement).optional(),
  }),
)
const Weight = z.int().min(1).max(100)

const PodTerm = z.strictObject({
  topologyKey: z.string(),
  labelSelector: atomic(LabelSelector).optional(),
  namespaceSelector: atomic(LabelSelector).optional(),
  namespaces: atomicList(z.string()).optional(),
  matchLabelKeys: atomicList(z.string()).optional(),
  mismatchLabelKeys: atomicList(z.string()).optional(),
})
const PodTerms = z.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: atomicList(PodTerm).optional(),
  preferredDuringSchedulingIgnoredDuringExecution: atomicList(
    z.strictObject({ weight: Weight, podAffinityTerm: PodTerm }),
  ).optional(),
})

export const Affinity = z.strictObject({
  nodeAffinity: z
    .strictObject({
      requiredDuringSchedulingIgnoredDuringExecution: atomic(
        z.strictObject({ nodeSelectorTerms: atomicList(NodeTerm) }),
      ).optional(),
      preferredDuringSchedulingIgnoredDuringExecution: atomicList(
        z.strictObject({ weight: Weight, preference: NodeTerm }),
      ).optional(),
    })
    .optional(),
  podAffinity: PodTerms.optional(),
  podAntiAffinity: PodTerms.optional(),
})

export const SpreadConstraint = z.strictObject({
  maxSkew: z.int(),
  topologyKey: z.string(),
  whenUnsatisfiable: z.string(),
  labelSelector: atomic(LabelSelector).optional(),
  matchLabelKeys: atomicList(z.string()).optional(),
  minDomains: z.int().optional(),
  nodeAffinityPolicy: z.string().optional(),
  nodeTaintsPolicy: z.string().optional(),
})

export const PodToleration = z.strictObject({
  key: z.string().optional(),
  operator: z.string().optional().describe('Exists or Equal.'),
  value: z.string().optional(),
  effect: z.string().optional(),
  tolerationSeconds: z.int().optional(),
})
