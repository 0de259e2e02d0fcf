/** Who a write is by, as managedFields will name it: the parameters of a request that say so. */
import { checkManager, managerOfUserAgent, optionError } from '../registry/managed-fields/manager-name.ts'
import { type Ownership, updatedBy, type Writer } from '../registry/managed-fields/track.ts'
import type { Call } from './call.ts'

type Options = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions'

/** The ownership of a create, an update, or a patch but apply. Throws 422 for a name that cannot be one. */
export function ownershipOf(call: Call, options: Options): Ownership {
  const manager = call.query.get('fieldManager')
  if (options === 'PatchOptions' && call.query.get('force') !== null)
    throw optionError(options, 'force', 'FieldValueForbidden', 'Forbidden: may not be specified for non-apply patch')
  return updatedBy({
    manager: manager ? checkManager(manager, options) : managerOfUserAgent(call.request.headers['user-agent']),
    subresource: call.target.subresource,
  })
}

/** Who applies. Throws 422 where nobody is named: an apply without a name could never be taken back. */
export function applierOf({ query, target }: Call): Writer {
  const manager = query.get('fieldManager')
  if (!manager)
    throw optionError(
      'PatchOptions',
      'fieldManager',
      'FieldValueRequired',
      'Required value: is required for apply patch',
    )
  return { manager: checkManager(manager, 'PatchOptions'), subresource: target.subresource }
}

/** Kubernetes takes every value for true but these. */
export function isForced({ query }: Call): boolean {
  const force = query.get('force')
  return force !== null && !['false', '0'].includes(force.toLowerCase())
}
