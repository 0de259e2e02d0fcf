/** Messages of k8s.io.api.core.v1 that kubectl's create verbs send. */
import {
  bool,
  bytesMap,
  integer,
  intOrString,
  list,
  type Message,
  nested,
  optionalBool,
  optionalInteger,
  optionalNested,
  optionalText,
  text,
  textMap,
  texts,
} from './message.ts'
import { Condition, object } from './meta.ts'

const LocalObjectReference: Message = { 1: text('name') }
const ObjectReference: Message = {
  1: text('kind'),
  2: text('namespace'),
  3: text('name'),
  4: text('uid'),
  5: text('apiVersion'),
  6: text('resourceVersion'),
  7: text('fieldPath'),
}

export const Namespace = object({
  2: nested('spec', { 1: texts('finalizers') }),
  3: nested('status', { 1: text('phase') }),
})

export const ConfigMap = object({ 2: textMap('data'), 3: bytesMap('binaryData'), 4: optionalBool('immutable') })

export const Secret = object({
  2: bytesMap('data'),
  3: text('type'),
  4: textMap('stringData'),
  5: optionalBool('immutable'),
})

export const ServiceAccount = object({
  2: list('secrets', ObjectReference),
  3: list('imagePullSecrets', LocalObjectReference),
  4: optionalBool('automountServiceAccountToken'),
})

const ServicePort: Message = {
  1: text('name'),
  2: text('protocol'),
  3: integer('port'),
  4: intOrString('targetPort'),
  5: integer('nodePort'),
  6: optionalText('appProtocol'),
}

const SessionAffinity: Message = { 1: optionalNested('clientIP', { 1: optionalInteger('timeoutSeconds') }) }

const ServiceSpec: Message = {
  1: list('ports', ServicePort),
  2: textMap('selector'),
  3: text('clusterIP'),
  4: text('type'),
  5: texts('externalIPs'),
  7: text('sessionAffinity'),
  8: text('loadBalancerIP'),
  9: texts('loadBalancerSourceRanges'),
  10: text('externalName'),
  11: text('externalTrafficPolicy'),
  12: integer('healthCheckNodePort'),
  13: bool('publishNotReadyAddresses'),
  14: optionalNested('sessionAffinityConfig', SessionAffinity),
  17: optionalText('ipFamilyPolicy'),
  18: texts('clusterIPs'),
  19: texts('ipFamilies'),
  20: optionalBool('allocateLoadBalancerNodePorts'),
  21: optionalText('loadBalancerClass'),
  22: optionalText('internalTrafficPolicy'),
  23: optionalText('trafficDistribution'),
}

const Ingress: Message = { 1: text('ip'), 2: text('hostname'), 3: optionalText('ipMode') }

export const Service = object({
  2: nested('spec', ServiceSpec),
  3: nested('status', { 1: nested('loadBalancer', { 1: list('ingress', Ingress) }), 2: list('conditions', Condition) }),
})
