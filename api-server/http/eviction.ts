/** `POST pods/NAME/eviction`: a deletion that the pod's disruption budget is asked about first (kubectl drain). */
import type { ApiObject } from '../../crds/kind.ts'
import { claimDisruption } from '../registry/disruption.ts'
import { objectOf } from '../registry/entry.ts'
import { badRequest } from '../registry/errors.ts'
import { isObject } from '../registry/patch/merge.ts'
import { decodeBody, mediaTypeOf } from './body.ts'
import { type Call, placeOf } from './call.ts'
import { parseDeleteOptions } from './delete-options.ts'
import { evictUnit } from './drain-view.ts'
import { sendStatus } from './reply.ts'

export async function evict(call: Call): Promise<void> {
  const { registry, request, query, guard, reply } = call
  const { value } = await decodeBody(request.body, mediaTypeOf(request.headers['content-type']), 'Eviction')
  const place = placeOf(call)
  checkEviction(value, place.name)
  const options = parseDeleteOptions(query, value.deleteOptions ?? {})
  if (!(await evictUnit(call, options.dryRun === true))) {
    const pod: ApiObject = objectOf(registry.get(place))
    await claimDisruption(registry, pod, options.dryRun === true)
    await registry.delete(place, { ...options, guard })
  }
  sendStatus(reply.raw, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
}

function checkEviction(value: unknown, name: string): asserts value is Record<string, unknown> {
  if (!isObject(value) || (value.kind ?? 'Eviction') !== 'Eviction')
    throw badRequest('the object provided is unrecognized (must be of type Eviction)')
  const { metadata = {} } = value
  if (isObject(metadata) && (metadata.name ?? name) !== name)
    throw badRequest(`name in URL does not match name in Eviction object: ${name} in the URL`)
}
