/** The table of kinds: the single list that discovery, routes, validation, OpenAPI and the CRD files are made from. */
import {
  ClusterRole,
  ClusterRoleBinding,
  ConfigMap,
  CustomResourceDefinition,
  EndpointSlice,
  Event,
  Lease,
  LimitRange,
  Namespace,
  Node,
  Pod,
  PodDisruptionBudget,
  ResourceQuota,
  Role,
  RoleBinding,
  Secret,
  Service,
  ServiceAccount,
} from './core/index.ts'
import type { Kind } from './kind.ts'
import { Machine } from './machine.ts'
import { Subnet } from './subnet.ts'
import { Unit } from './unit.ts'
import { UpdatePolicy } from './update-policy.ts'

/** Our own kinds: the ones that a foreign kube-apiserver gets as CustomResourceDefinitions. */
export const FLOTILLA_KINDS: readonly Kind[] = [Machine, Unit, Subnet, UpdatePolicy]
export const CORE_KINDS: readonly Kind[] = [
  Namespace,
  ConfigMap,
  Secret,
  ServiceAccount,
  Service,
  Pod,
  Node,
  Event,
  ResourceQuota,
  LimitRange,
  EndpointSlice,
  Lease,
  PodDisruptionBudget,
  Role,
  ClusterRole,
  RoleBinding,
  ClusterRoleBinding,
  CustomResourceDefinition,
]
export const KINDS: readonly Kind[] = [...CORE_KINDS, ...FLOTILLA_KINDS]

export * from './core/index.ts'
export { Machine, Subnet, Unit, UpdatePolicy }
