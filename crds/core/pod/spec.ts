import * as z from 'zod'
import { Quantity } from '../../metadata.ts'
import { atomic, atomicList, keyedList, keyedUnions, StringMap } from '../lists.ts'
import { LocalObjectReference } from '../references.ts'
import { Container, EphemeralContainer } from './container.ts'
import { Affinity, PodToleration, SpreadConstraint } from './placement.ts'
import { PodSecurityContext } from './security.ts'
import { Volume } from './volume.ts'

const HostAlias = z.strictObject({ ip: z.string(), hostnames: atomicList(z.string()).optional() })

const DnsConfig = z.strictObject({
  nameservers: atomicList(z.string()).optional(),
  searches: atomicList(z.string()).optional(),
  options: atomicList(z.strictObject({ name: z.string().optional(), value: z.string().optional() })).optional(),
})

const placement = {
  nodeName: z.string().optional().describe('The machine it is bound to.'),
  nodeSelector: atomic(StringMap).optional().describe('Labels that its machine must have.'),
  affinity: Affinity.optional(),
  tolerations: atomicList(PodToleration).optional().describe('Taints that do not keep it away.'),
  topologySpreadConstraints: keyedList(SpreadConstraint, 'topologyKey', [
    'topologyKey',
    'whenUnsatisfiable',
  ]).optional(),
  schedulerName: z.string().optional(),
  schedulingGates: keyedList(z.strictObject({ name: z.string() }), 'name').optional(),
  priority: z.int().optional(),
  priorityClassName: z.string().optional(),
  preemptionPolicy: z.string().optional(),
  runtimeClassName: z.string().optional(),
  overhead: z.record(z.string(), Quantity).optional(),
}

const identity = {
  serviceAccountName: z.string().optional(),
  serviceAccount: z.string().optional().describe('The old name of serviceAccountName.'),
  automountServiceAccountToken: z.boolean().optional(),
  imagePullSecrets: keyedList(LocalObjectReference, 'name').optional(),
  securityContext: PodSecurityContext.optional(),
  os: z.strictObject({ name: z.string() }).optional(),
}

const network = {
  hostNetwork: z.boolean().optional(),
  hostPID: z.boolean().optional(),
  hostIPC: z.boolean().optional(),
  hostUsers: z.boolean().optional(),
  hostname: z.string().optional(),
  subdomain: z.string().optional(),
  setHostnameAsFQDN: z.boolean().optional(),
  hostAliases: keyedList(HostAlias, 'ip').optional(),
  dnsPolicy: z.string().optional(),
  dnsConfig: DnsConfig.optional(),
  enableServiceLinks: z.boolean().optional(),
}

export const PodSpec = z.strictObject({
  containers: keyedList(Container, 'name').describe('What runs, all at once.'),
  initContainers: keyedList(Container, 'name').optional().describe('What runs before, one after the other.'),
  ephemeralContainers: keyedList(EphemeralContainer, 'name').optional(),
  volumes: keyedUnions(Volume, 'name').optional().describe('Folders that containers may mount.'),
  restartPolicy: z.string().optional().describe('Always, OnFailure or Never.'),
  terminationGracePeriodSeconds: z.int().optional().describe('From being told to end to being killed.'),
  activeDeadlineSeconds: z.int().optional(),
  shareProcessNamespace: z.boolean().optional(),
  readinessGates: atomicList(z.strictObject({ conditionType: z.string() })).optional(),
  resourceClaims: keyedList(
    z.strictObject({
      name: z.string(),
      resourceClaimName: z.string().optional(),
      resourceClaimTemplateName: z.string().optional(),
    }),
    'name',
  ).optional(),
  ...placement,
  ...identity,
  ...network,
})
export type PodSpec = z.output<typeof PodSpec>
