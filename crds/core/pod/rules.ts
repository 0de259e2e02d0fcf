/** What is refused in a Pod, in a kube-apiserver's words: mistakes that its author can only find here. */
import type { ApiObject, Violation } from '../../kind.ts'
import { recordAt, recordsAt } from '../built-in.ts'
import { dnsLabel } from '../names.ts'
import { oneOf } from '../violations.ts'
import { checkContainer } from './container-rules.ts'
import { CONTAINER_LISTS } from './defaults.ts'
import { checkUpdate } from './update-rules.ts'
import { VOLUME_SOURCES } from './volume.ts'

type Json = Record<string, unknown>

export function checkPod(object: ApiObject, previous: ApiObject | undefined): Violation[] {
  const spec = recordAt(object, 'spec') ?? {}
  return [
    ...checkVolumes(spec),
    ...checkContainers(spec),
    ...oneOf(['spec', 'restartPolicy'], spec.restartPolicy, ['Always', 'Never', 'OnFailure']),
    ...oneOf(['spec', 'dnsPolicy'], spec.dnsPolicy, ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None']),
    ...checkSeconds(spec),
    ...checkTolerations(spec),
    ...(previous === undefined ? [] : checkUpdate(object, previous)),
  ]
}

function checkVolumes(spec: Json): Violation[] {
  const seen = new Set<unknown>()
  return recordsAt(spec, 'volumes').flatMap((volume, at) => {
    const path = ['spec', 'volumes', at]
    const violations = checkName([...path, 'name'], volume.name, seen)
    const sources = VOLUME_SOURCES.filter((source) => source in volume)
    for (const extra of sources.slice(1))
      violations.push({
        path: [...path, extra],
        message: 'may not specify more than 1 volume type',
        reason: 'FieldValueForbidden',
      })
    return violations
  })
}

function checkName(path: Violation['path'], name: unknown, seen: Set<unknown>): Violation[] {
  if (!name) return [{ path, message: '', reason: 'FieldValueRequired' }]
  const message = dnsLabel(String(name))
  if (message !== undefined) return [{ path, message }]
  if (seen.has(name)) return [{ path, message: '', reason: 'FieldValueDuplicate' }]
  seen.add(name)
  return []
}

/** Names are unique over all lists, because logs and exec name a container by nothing else. */
function checkContainers(spec: Json): Violation[] {
  if (recordsAt(spec, 'containers').length === 0)
    return [{ path: ['spec', 'containers'], message: '', reason: 'FieldValueRequired' }]
  const volumes = new Set(recordsAt(spec, 'volumes').map(({ name }) => name))
  const seen = new Set<unknown>()
  return CONTAINER_LISTS.toSorted().flatMap((list) =>
    recordsAt(spec, list).flatMap((container, at) => [
      ...checkName(['spec', list, at, 'name'], container.name, seen),
      ...checkContainer(container, ['spec', list, at], volumes),
    ]),
  )
}

function checkSeconds(spec: Json): Violation[] {
  const { terminationGracePeriodSeconds: grace, activeDeadlineSeconds: deadline } = spec
  const violations: Violation[] = []
  if (Number(grace ?? 0) < 0)
    violations.push({ path: ['spec', 'terminationGracePeriodSeconds'], message: 'must be greater than or equal to 0' })
  if (deadline !== undefined && (Number(deadline) < 1 || Number(deadline) > 2 ** 31 - 1))
    violations.push({ path: ['spec', 'activeDeadlineSeconds'], message: 'must be between 1 and 2147483647, inclusive' })
  return violations
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

function checkTolerations(spec: Json): Violation[] {
  return recordsAt(spec, 'tolerations').flatMap((toleration, at) => {
    const path = (field: string) => ['spec', 'tolerations', at, field]
    const { key, operator, value, effect, tolerationSeconds } = toleration
    const violations: Violation[] = []
    if (!key && operator !== 'Exists')
      violations.push({
        path: path('operator'),
        message: 'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      })
    if (tolerationSeconds !== undefined && effect !== 'NoExecute')
      violations.push({ path: path('effect'), message: "effect must be 'NoExecute' when `tolerationSeconds` is set" })
    if (operator === 'Exists' && value)
      violations.push({ path: path('operator'), message: "value must be empty when `operator` is 'Exists'" })
    if (operator) violations.push(...oneOf(path('operator'), operator, ['Equal', 'Exists']))
    if (effect) violations.push(...oneOf(path('effect'), effect, EFFECTS))
    return violations
  })
}
