/** The JSON in flannel's keys (flannel's subnet.Config and LeaseAttrs) and what it says of a Subnet. */
import type { Subnet } from '../../../../crds/index.ts'
import { isIpv4, parseRange, rangeAround } from './ipv4-range.ts'
import { JsonFields } from './json-fields.ts'

type Spec = Subnet['spec']
type Backend = NonNullable<Spec['backend']>

const TYPES: readonly Backend['type'][] = ['vxlan', 'host-gw', 'alloc']
const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i
const MAX_VNI = 16_777_215

export function writeConfig({ cidr, prefixLength, min, max, backend }: Spec): string {
  const { type, vni, port, directRouting } = backend ?? { type: 'vxlan' }
  return JSON.stringify({
    Network: cidr,
    SubnetLen: prefixLength,
    SubnetMin: addressOf(min),
    SubnetMax: addressOf(max),
    Backend: { Type: type, VNI: vni, Port: port, DirectRouting: directRouting },
  })
}

/** `before` keeps what the configuration has no word for. Throws WrongField. */
export function readConfig(text: string, before: Spec | undefined): Spec {
  const config = JsonFields.parse(text)
  const network = config.text('Network') ?? config.refuse('Network', 'is required')
  const cidr = rangeAround(network) ?? config.refuse('Network', `"${network}" is not an IPv4 range such as 10.1.0.0/16`)
  const { length } = parseRange(cidr, '/') ?? { length: 0 }
  const prefixLength = config.integer('SubnetLen', Math.max(1, length), 32)
  const min = readAddress(config, 'SubnetMin', before?.min)
  const max = readAddress(config, 'SubnetMax', before?.max)
  const backend = readConfigBackend(config.fields('Backend'), before?.backend)
  return present({ ...before, cidr, prefixLength, min, max, backend })
}

function readConfigBackend(backend: JsonFields | undefined, before: Spec['backend']): Spec['backend'] {
  const type = backend && readType(backend, 'Type')
  if (backend === undefined || type === undefined) return undefined
  const vni = backend.integer('VNI', 1, MAX_VNI)
  const port = backend.integer('Port', 1, 65_535)
  const directRouting = backend.flag('DirectRouting')
  const isDefault = type === 'vxlan' && vni === undefined && port === undefined && directRouting === undefined
  return before === undefined && isDefault ? undefined : present({ type, vni, port, directRouting })
}

export function writeLease({ publicIP, vtepMAC, backend }: Spec): string {
  const data = vtepMAC === undefined && backend?.vni === undefined ? undefined : { VNI: backend?.vni, VtepMAC: vtepMAC }
  const type = backend?.type ?? defaultType(vtepMAC)
  return JSON.stringify({ PublicIP: publicIP, BackendType: type, BackendData: data })
}

/** As `readConfig`; the range is in the key. */
export function readLease(text: string, before: Spec): Spec {
  const lease = JsonFields.parse(text)
  const publicIP = readAddress(lease, 'PublicIP', undefined)
  const type = readType(lease, 'BackendType')
  const data = lease.fields('BackendData')
  const vtepMAC = data?.text('VtepMAC')
  if (data && vtepMAC !== undefined && !MAC.test(vtepMAC)) data.refuse('VtepMAC', `"${vtepMAC}" is not a MAC address`)
  const vni = data?.integer('VNI', 1, MAX_VNI)
  const isDefault = before.backend === undefined && vni === undefined && type === defaultType(vtepMAC)
  const backend = type === undefined || isDefault ? undefined : present({ ...before.backend, type, vni })
  return present({ ...before, publicIP, vtepMAC, backend })
}

/** What a lease must be whose object does not say it. */
const defaultType = (vtepMAC: string | undefined) => (vtepMAC === undefined ? 'host-gw' : 'vxlan')

function readType(fields: JsonFields, name: string): Backend['type'] | undefined {
  const text = fields.text(name)
  if (text === undefined || text === '') return undefined
  const known = TYPES.find((type) => type === text)
  return known ?? fields.refuse(name, `"${text}" is not one of ${TYPES.join(', ')}`)
}

/** Bounds in objects may be written as ranges: flannel wants their first address. */
function addressOf(text: string | undefined): string | undefined {
  return text?.replace(/\/.*$/, '')
}

function readAddress(fields: JsonFields, name: string, before: string | undefined): string | undefined {
  const text = fields.text(name)
  if (text === undefined || text === '') return undefined
  if (!isIpv4(text)) fields.refuse(name, `"${text}" is not an IPv4 address`)
  return addressOf(before) === text ? before : text
}

/** Without what is undefined: stored objects have no such fields. */
function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const defined = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(defined) as { [K in keyof T]: Exclude<T[K], undefined> }
}
