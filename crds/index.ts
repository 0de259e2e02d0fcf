/** The table of kinds: the single list that discovery, routes, validation, OpenAPI and the CRD files are made from. */
import { Event, Lease, Namespace } from './core.ts'
import type { Kind } from './kind.ts'
import { Machine } from './machine.ts'
import { Subnet } from './subnet.ts'
import { Unit } from './unit.ts'
import { UpdatePolicy } from './update-policy.ts'

/** Our own kinds: the ones that a foreign kube-apiserver gets as CustomResourceDefinitions. */
export const FLOTILLA_KINDS: readonly Kind[] = [Machine, Unit, Subnet, UpdatePolicy]
export const CORE_KINDS: readonly Kind[] = [Namespace, Event, Lease]
export const KINDS: readonly Kind[] = [...CORE_KINDS, ...FLOTILLA_KINDS]

export { Event, Lease, Machine, Namespace, Subnet, Unit, UpdatePolicy }
