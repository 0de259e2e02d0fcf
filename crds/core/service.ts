import * as z from 'zod'
import type { ApiObject, ObjectOf } from '../kind.ts'
import { defineBuiltIn, recordAt, recordsAt } from './built-in.ts'
import { AGE, labelsText, NONE } from './columns.ts'
import { atomic, atomicList, keyedList, StringMap } from './lists.ts'
import { serviceName } from './names.ts'
import { CoreConditions, PortNumberOrName } from './references.ts'
import { checkService, completeService } from './service-rules.ts'

const Port = z.strictObject({
  name: z.string().optional().describe('Must be given where there are several ports.'),
  protocol: z.string().default('TCP').describe('TCP, UDP or SCTP.'),
  appProtocol: z.string().optional(),
  port: z.int().describe('The port of the service.'),
  targetPort: PortNumberOrName.optional().describe('The port of the pod, by number or name; the same one by default.'),
  nodePort: z.int().optional(),
})

const Status = z.strictObject({
  loadBalancer: z
    .strictObject({
      ingress: atomicList(
        z.strictObject({
          ip: z.string().optional(),
          hostname: z.string().optional(),
          ipMode: z.string().optional(),
          ports: atomicList(
            z.strictObject({ port: z.int(), protocol: z.string(), error: z.string().optional() }),
          ).optional(),
        }),
      ).optional(),
    })
    .optional(),
  conditions: CoreConditions.optional(),
})

export const Service = defineBuiltIn({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  scope: 'Namespaced',
  status: true,
  description: 'A name for the pods that a selector finds. Stored and validated: no traffic is routed by it yet.',
  selectableFields: ['spec.clusterIP', 'spec.type'],
  checkName: serviceName,
  fields: {
    spec: z.strictObject({
      type: z.string().optional().describe('ClusterIP, NodePort, LoadBalancer or ExternalName.'),
      selector: atomic(StringMap).optional().describe('Labels of the pods behind it.'),
      ports: keyedList(Port, 'port', ['port', 'protocol']).optional(),
      clusterIP: z.string().optional().describe('"None" makes the service headless. No address is given out yet.'),
      clusterIPs: atomicList(z.string()).optional(),
      ipFamilies: atomicList(z.string()).optional(),
      ipFamilyPolicy: z.string().optional(),
      externalIPs: atomicList(z.string()).optional(),
      externalName: z.string().optional().describe('For ExternalName: the DNS name that it stands for.'),
      externalTrafficPolicy: z.string().optional(),
      internalTrafficPolicy: z.string().optional(),
      trafficDistribution: z.string().optional(),
      sessionAffinity: z.string().optional().describe('None or ClientIP.'),
      sessionAffinityConfig: z
        .strictObject({ clientIP: z.strictObject({ timeoutSeconds: z.int().optional() }).optional() })
        .optional(),
      loadBalancerIP: z.string().optional(),
      loadBalancerSourceRanges: atomicList(z.string()).optional(),
      loadBalancerClass: z.string().optional(),
      allocateLoadBalancerNodePorts: z.boolean().optional(),
      healthCheckNodePort: z.int().optional(),
      publishNotReadyAddresses: z.boolean().optional(),
    }),
    status: Status.optional(),
  },
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.spec.type', description: 'How it is reached.' },
    {
      name: 'Cluster-IP',
      type: 'string',
      jsonPath: '.spec.clusterIP',
      description: 'Its address inside the fleet.',
      cell: (object) => String(recordAt(object, 'spec')?.clusterIP || NONE),
    },
    {
      name: 'External-IP',
      type: 'string',
      jsonPath: '.spec.externalIPs',
      description: 'Its addresses outside.',
      cell: externalText,
    },
    { name: 'Port(s)', type: 'string', jsonPath: '.spec.ports', description: 'Port and protocol.', cell: portsText },
    AGE,
    {
      name: 'Selector',
      type: 'string',
      jsonPath: '.spec.selector',
      description: 'Labels of the pods behind it.',
      priority: 1,
      cell: (object) => labelsText(recordAt(object, 'spec')?.selector),
    },
  ],
  complete: completeService,
  check: checkService,
})
export type Service = ObjectOf<typeof Service>

function portsText(object: ApiObject): string {
  const ports = recordsAt(recordAt(object, 'spec'), 'ports')
  const texts = ports.map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`)
  return texts.length === 0 ? NONE : texts.join(',')
}

function externalText(object: ApiObject): string {
  const {
    type,
    externalIPs = [],
    externalName,
  } = (object.spec ?? {}) as {
    type?: string
    externalIPs?: string[]
    externalName?: string
  }
  if (type === 'ExternalName') return externalName || NONE
  const ingress = recordsAt(recordAt(recordAt(object, 'status'), 'loadBalancer'), 'ingress')
  const balanced = type === 'LoadBalancer' ? ingress.map(({ ip, hostname }) => String(ip ?? hostname)) : []
  const all = [...balanced, ...externalIPs]
  return all.length > 0 ? all.join(',') : type === 'LoadBalancer' ? '<pending>' : NONE
}
