import type { Violation } from '../../kind.ts'
import { recordAt, recordsAt } from '../built-in.ts'
import { environmentName, portName } from '../names.ts'
import { because, checkPortNumber, oneOf, required } from '../violations.ts'
import { LIFECYCLE_HANDLERS, PROBE_HANDLERS } from './probe.ts'
import { amountOf } from './resources.ts'

type Json = Record<string, unknown>
type Path = Violation['path']

/** `volumes`: names that mounts may speak of. */
export function checkContainer(container: Json, path: Path, volumes: ReadonlySet<unknown>): Violation[] {
  const at = (field: string) => [...path, field]
  return [
    ...(container.image ? [] : [required(...at('image'))]),
    ...oneOf(at('imagePullPolicy'), container.imagePullPolicy, ['Always', 'IfNotPresent', 'Never']),
    ...oneOf(at('terminationMessagePolicy'), container.terminationMessagePolicy, ['FallbackToLogsOnError', 'File']),
    ...checkPorts(container, path),
    ...checkEnvironment(container, path),
    ...checkMounts(container, path, volumes),
    ...checkResources(container, path),
    ...['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((probe) =>
      checkHandler(recordAt(container, probe), at(probe), PROBE_HANDLERS),
    ),
    ...['postStart', 'preStop'].flatMap((hook) =>
      checkHandler(recordAt(recordAt(container, 'lifecycle'), hook), [...path, 'lifecycle', hook], LIFECYCLE_HANDLERS),
    ),
  ]
}

function checkPorts(container: Json, path: Path): Violation[] {
  const names = new Set<unknown>()
  return recordsAt(container, 'ports').flatMap((port, at) => {
    const field = (name: string) => [...path, 'ports', at, name]
    const violations: Violation[] = [...checkPortNumber(field('containerPort'), port.containerPort)]
    if (port.name) violations.push(...because(field('name'), portName(String(port.name))))
    if (port.name && names.has(port.name))
      violations.push({ path: field('name'), message: '', reason: 'FieldValueDuplicate' })
    names.add(port.name)
    if (port.hostPort) violations.push(...checkPortNumber(field('hostPort'), port.hostPort))
    return [...violations, ...oneOf(field('protocol'), port.protocol, ['SCTP', 'TCP', 'UDP'])]
  })
}

function checkEnvironment(container: Json, path: Path): Violation[] {
  return recordsAt(container, 'env').flatMap((variable, at) => {
    const field = (name: string) => [...path, 'env', at, name]
    if (!variable.name) return [required(...field('name'))]
    const violations = because(field('name'), environmentName(String(variable.name)))
    const from = recordAt(variable, 'valueFrom')
    if (from === undefined) return violations
    const sources = Object.keys(from).length
    const say = (message: string): Violation => ({ path: field('valueFrom'), value: '', message })
    if (variable.value) violations.push(say('may not be specified when `value` is not empty'))
    if (sources === 0)
      violations.push(say('must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'))
    if (sources > 1) violations.push(say('may not have more than one field specified at a time'))
    return violations
  })
}

function checkMounts(container: Json, path: Path, volumes: ReadonlySet<unknown>): Violation[] {
  const used = new Set<unknown>()
  return recordsAt(container, 'volumeMounts').flatMap((mount, at) => {
    const field = (name: string) => [...path, 'volumeMounts', at, name]
    const violations: Violation[] = []
    if (!mount.name) violations.push(required(...field('name')))
    else if (!volumes.has(mount.name))
      violations.push({ path: field('name'), message: '', reason: 'FieldValueNotFound' })
    if (!mount.mountPath) violations.push(required(...field('mountPath')))
    else if (used.has(mount.mountPath)) violations.push({ path: field('mountPath'), message: 'must be unique' })
    used.add(mount.mountPath)
    if (
      String(mount.subPath ?? '')
        .split('/')
        .includes('..')
    )
      violations.push({ path: field('subPath'), message: "must not contain '..'" })
    return violations
  })
}

function checkResources(container: Json, path: Path): Violation[] {
  const resources = recordAt(container, 'resources')
  const limits = recordAt(resources, 'limits') ?? {}
  const requests = recordAt(resources, 'requests') ?? {}
  const negative = (what: string, amounts: Json) =>
    Object.entries(amounts)
      .filter(([, amount]) => amountOf(amount) < 0)
      .map(([name]) => ({ path: [...path, 'resources', what, name], message: 'must be greater than or equal to 0' }))
  const above = Object.entries(requests)
    .filter(([name, amount]) => name in limits && amountOf(amount) > amountOf(limits[name]))
    .map(([name, amount]) => ({
      path: [...path, 'resources', 'requests'],
      value: String(amount),
      message: `must be less than or equal to ${name} limit of ${String(limits[name])}`,
    }))
  return [...negative('limits', limits), ...negative('requests', requests), ...above]
}

function checkHandler(owner: Json | undefined, path: Path, handlers: readonly string[]): Violation[] {
  if (owner === undefined) return []
  const [first, ...others] = handlers.filter((handler) => handler in owner)
  if (first === undefined) return [{ path, message: 'must specify a handler type', reason: 'FieldValueRequired' }]
  return others.map((handler) => ({
    path: [...path, handler],
    message: 'may not specify more than 1 handler type',
    reason: 'FieldValueForbidden',
  }))
}
