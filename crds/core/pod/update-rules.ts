/** A Pod is run as it was made: the few fields that may still change are named here. */
import { isDeepStrictEqual } from 'node:util'
import type { ApiObject, Violation } from '../../kind.ts'
import { recordAt, recordsAt } from '../built-in.ts'

type Json = Record<string, unknown>

const REFUSED =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

export function checkUpdate(object: ApiObject, previous: ApiObject): Violation[] {
  const [next, before] = [recordAt(object, 'spec') ?? {}, recordAt(previous, 'spec') ?? {}]
  if (isDeepStrictEqual(next, before)) return []
  const counts = ['containers', 'initContainers'].filter(
    (list) => recordsAt(next, list).length !== recordsAt(before, list).length,
  )
  if (counts.length > 0)
    return counts.map((list) => ({
      path: ['spec', list],
      message: `pod updates may not add or remove ${list === 'containers' ? '' : 'init '}containers`,
      reason: 'FieldValueForbidden',
    }))
  return [...checkFixed(next, before), ...checkDeadline(next, before), ...checkTolerations(next, before)]
}

function checkFixed(next: Json, before: Json): Violation[] {
  if (isDeepStrictEqual(fixedPart(next), fixedPart(before))) return []
  return [{ path: ['spec'], message: REFUSED, reason: 'FieldValueForbidden' }]
}

/** Everything that must stay. */
function fixedPart(spec: Json): Json {
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, ...rest } = spec
  const fixed: Json = { ...rest }
  for (const list of ['containers', 'initContainers'])
    if (fixed[list] !== undefined)
      fixed[list] = recordsAt(spec, list).map(({ image: _image, ...container }) => container)
  return fixed
}

function checkDeadline({ activeDeadlineSeconds: next }: Json, { activeDeadlineSeconds: before }: Json): Violation[] {
  if (before === undefined || (next !== undefined && Number(next) <= Number(before))) return []
  const message =
    next === undefined
      ? 'must not update from a positive integer to nil value'
      : `must be less than or equal to previous value ${before}`
  return [{ path: ['spec', 'activeDeadlineSeconds'], value: next ?? '', message }]
}

function checkTolerations(next: Json, before: Json): Violation[] {
  const now = recordsAt(next, 'tolerations')
  const lost = recordsAt(before, 'tolerations').some((one) => !now.some((other) => isDeepStrictEqual(one, other)))
  return lost
    ? [
        {
          path: ['spec', 'tolerations'],
          message: 'existing toleration can not be modified except its tolerationSeconds',
          reason: 'FieldValueForbidden',
        },
      ]
    : []
}
