/**
 * Flannel's keys as Subnets (flannel's subnet/etcdv2 and its configuration document): `/coreos.com/network/config` is the
 * root range, `/coreos.com/network/subnets/10.1.5.0-24` a leased one. A lease's time to live is `status.expiry`; one
 * without is a reservation. JSON that an object has no place for stays in the key until the object changes.
 */
import { type Subnet, Subnet as SubnetKind } from '../../../../crds/index.ts'
import type { ApiObject, Kind } from '../../../../crds/kind.ts'
import { type Failure, failure, isFailure } from '../failure.ts'
import { readConfig, readLease, writeConfig, writeLease } from './flannel-json.ts'
import { parseRange } from './ipv4-range.ts'
import { WrongField } from './json-fields.ts'
import type { Fault, Projection, ShownNode, Standing } from './projection.ts'

const NETWORK = '/coreos.com/network'
const CONFIG = `${NETWORK}/config`
const SUBNETS = `${NETWORK}/subnets`
/** Of a root range that is made here, and of leases that are there before any. */
const ROOT_NAME = 'flannel'
/** Older times are a clock that ran over. */
const FIRST_BELIEVABLE_MS = Date.UTC(2000)

export const FLANNEL: Projection = {
  kind: SubnetKind as Kind,
  directories: [NETWORK, SUBNETS],
  standing,
  toNodes: (object) => toNodes(object as unknown as Subnet),
  toObject,
}

function standing(key: string): Standing {
  if (key === CONFIG) return 'object'
  if (key.startsWith(`${CONFIG}/`)) return failure(104, CONFIG)
  if (!key.startsWith(`${SUBNETS}/`)) return 'plain'
  const [name = '', below] = key.slice(SUBNETS.length + 1).split('/', 2)
  if (parseRange(name, '-') === undefined)
    return failure(209, `"${name}" is not the key of a subnet: an IPv4 range such as 10.1.5.0-24, without host bits`)
  return below === undefined ? 'object' : failure(104, `${SUBNETS}/${name}`)
}

function toNodes(object: Subnet): readonly ShownNode[] | Fault {
  const { spec, status } = object
  if (spec.cidr.includes(':')) return [] // flannel's v2 keys know IPv4 alone
  const range = parseRange(spec.cidr, '/')
  if (range === undefined) return { fault: `spec.cidr "${spec.cidr}" is not an IPv4 range without host bits` }
  const expires = endOf(object)
  if (expires !== undefined && !(expires >= FIRST_BELIEVABLE_MS))
    return { fault: `status.expiry "${status?.expiry}" is not a time` }
  const node =
    spec.parent === undefined
      ? { key: CONFIG, value: writeConfig(spec), expires }
      : { key: `${SUBNETS}/${range.address}-${range.length}`, value: writeLease(spec), expires }
  // What flanneld could not read, it must not be shown.
  const back = toObject(node, object as unknown as ApiObject, () => undefined)
  return isFailure(back) ? { fault: back.cause } : [node]
}

/** NaN where the object names no time. */
function endOf({ spec, status }: Pick<Subnet, 'spec' | 'status'>): number | undefined {
  return spec.reservation || status?.expiry === undefined ? undefined : Date.parse(status.expiry)
}

function toObject(
  node: ShownNode,
  current: ApiObject | undefined,
  nameAt: (key: string) => string | undefined,
): ApiObject | Failure {
  if (node.expires !== undefined && node.expires < FIRST_BELIEVABLE_MS)
    return failure(202, 'the time to live is too long')
  try {
    const before = current as unknown as Subnet | undefined
    const next = node.key === CONFIG ? rootOf(node, before) : leaseOf(node, before, nameAt(CONFIG) ?? ROOT_NAME)
    return next as unknown as ApiObject
  } catch (error) {
    if (error instanceof WrongField) return failure(209, error.message)
    throw error
  }
}

function rootOf(node: ShownNode, current: Subnet | undefined): object {
  return assemble(current, ROOT_NAME, readConfig(node.value, current?.spec), node.expires)
}

function leaseOf(node: ShownNode, current: Subnet | undefined, root: string): object {
  const name = node.key.slice(SUBNETS.length + 1)
  const before = current?.spec ?? { cidr: name.replace('-', '/'), parent: root }
  const { reservation: _before, ...spec } = readLease(node.value, before)
  if (current !== undefined && endOf(current) === node.expires)
    return assemble(current, name, { ...spec, ...kept(before.reservation) }, node.expires)
  return assemble(current, name, node.expires === undefined ? { ...spec, reservation: true } : spec, node.expires)
}

const kept = (reservation: boolean | undefined) => (reservation === undefined ? {} : { reservation })

function assemble(
  current: Subnet | undefined,
  name: string,
  spec: Subnet['spec'],
  expires: number | undefined,
): object {
  const { apiVersion, kind } = SubnetKind
  const base = current ?? { apiVersion, kind, metadata: { name } }
  if (current !== undefined && endOf(current) === expires) return { ...base, spec }
  const { expiry: _before, ...rest } = current?.status ?? {}
  const status = expires === undefined ? rest : { ...rest, expiry: new Date(expires).toISOString() }
  const { status: _status, ...bare } = { status: undefined, ...base }
  return Object.keys(status).length === 0 ? { ...bare, spec } : { ...bare, spec, status }
}
