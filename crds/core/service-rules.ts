/** What a Service is filled up with, and what is refused in one, as a kube-apiserver does it where users see it. */
import type { ApiObject, Violation } from '../kind.ts'
import { fill, isRecord, recordAt, recordsAt } from './built-in.ts'
import { dnsLabel, portName } from './names.ts'
import { because, checkPortNumber, oneOf } from './violations.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const CLIENT_AFFINITY_SECONDS = 10_800

export function completeService(object: ApiObject, previous: ApiObject | undefined): void {
  const { spec } = object
  object.status ??= { loadBalancer: {} }
  if (!isRecord(spec)) return
  fill(spec, { type: 'ClusterIP', sessionAffinity: 'None' })
  if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig === undefined)
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: CLIENT_AFFINITY_SECONDS } }
  for (const port of recordsAt(spec, 'ports')) fill(port, { protocol: 'TCP', targetPort: port.port })
  if (spec.type === 'ExternalName') return
  fill(spec, {
    internalTrafficPolicy: 'Cluster',
    ...(spec.type !== 'ClusterIP' && { externalTrafficPolicy: 'Cluster' }),
  })
  if (spec.type === 'LoadBalancer') fill(spec, { allocateLoadBalancerNodePorts: true })
  keepAddress(spec, recordAt(previous, 'spec'))
}

/** A write that leaves the address out keeps the one there is. */
function keepAddress(spec: Record<string, unknown>, previous: Record<string, unknown> | undefined): void {
  if (!spec.clusterIP && previous?.clusterIP) spec.clusterIP = previous.clusterIP
  if (spec.clusterIP && spec.clusterIPs === undefined) spec.clusterIPs = [spec.clusterIP]
}

export function checkService(object: ApiObject, previous: ApiObject | undefined): Violation[] {
  const spec = recordAt(object, 'spec') ?? {}
  return [
    ...oneOf(['spec', 'type'], spec.type, TYPES),
    ...oneOf(['spec', 'sessionAffinity'], spec.sessionAffinity, ['ClientIP', 'None']),
    ...checkPorts(spec),
    ...checkAddress(spec, recordAt(previous, 'spec')),
    ...(spec.type === 'ExternalName' ? checkExternalName(spec) : []),
  ]
}

function checkPorts(spec: Record<string, unknown>): Violation[] {
  const ports = recordsAt(spec, 'ports')
  const isHeadless = spec.clusterIP === 'None'
  if (ports.length === 0 && spec.type !== 'ExternalName' && !isHeadless)
    return [{ path: ['spec', 'ports'], message: '', reason: 'FieldValueRequired' }]
  return [...ports.flatMap((port, at) => checkPort(port, at, ports.length > 1)), ...checkUnique(ports)]
}

function checkPort(port: Record<string, unknown>, at: number, named: boolean): Violation[] {
  const path = (field: string) => ['spec', 'ports', at, field]
  const violations: Violation[] = [...checkPortNumber(path('port'), port.port)]
  if (!port.name) {
    if (named) violations.push({ path: path('name'), message: '', reason: 'FieldValueRequired' })
  } else violations.push(...because(path('name'), dnsLabel(String(port.name))))
  violations.push(...oneOf(path('protocol'), port.protocol, PROTOCOLS))
  if (typeof port.targetPort === 'number') violations.push(...checkPortNumber(path('targetPort'), port.targetPort))
  else if (port.targetPort !== undefined)
    violations.push(...because(path('targetPort'), portName(String(port.targetPort))))
  return violations
}

function checkUnique(ports: readonly Record<string, unknown>[]): Violation[] {
  const names = new Set<unknown>()
  const numbers = new Set<string>()
  return ports.flatMap((port, at) => {
    const number = `${port.port}/${port.protocol}`
    const violations: Violation[] = []
    if (port.name && names.has(port.name))
      violations.push({ path: ['spec', 'ports', at, 'name'], message: '', reason: 'FieldValueDuplicate' })
    if (numbers.has(number))
      violations.push({
        path: ['spec', 'ports', at],
        value: { port: port.port, protocol: port.protocol },
        message: '',
        reason: 'FieldValueDuplicate',
      })
    names.add(port.name)
    numbers.add(number)
    return violations
  })
}

const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$/

function checkAddress(spec: Record<string, unknown>, previous: Record<string, unknown> | undefined): Violation[] {
  const path = ['spec', 'clusterIPs', 0]
  const address = spec.clusterIP
  if (!address) return []
  if (spec.type === 'ExternalName')
    return [
      {
        path: ['spec', 'clusterIPs'],
        message: 'may not be set for ExternalName services',
        reason: 'FieldValueForbidden',
      },
    ]
  if (address !== 'None' && !ADDRESS.test(String(address)))
    return [{ path, value: address, message: 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)' }]
  if (previous?.clusterIP && previous.type !== 'ExternalName' && previous.clusterIP !== address)
    return [{ path, value: address, message: 'may not change once set' }]
  return []
}

function checkExternalName({ externalName }: Record<string, unknown>): Violation[] {
  const path = ['spec', 'externalName']
  if (!externalName) return [{ path, message: '', reason: 'FieldValueRequired' }]
  const labels = String(externalName).replace(/\.$/, '').split('.')
  return because(
    path,
    labels.map(dnsLabel).find((wrong) => wrong !== undefined),
  )
}
