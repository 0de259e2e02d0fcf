/** What was said about an object, oldest first. */

import type { Event } from '../../crds/core/index.ts'
import { fieldEquals } from '../../crds/field-selector.ts'
import type { ApiObject } from '../../crds/kind.ts'
import type { Api } from './api.ts'
import { EVENTS } from './flotilla-types.ts'
import { listObjects } from './reading.ts'

/** Events of cluster-scoped objects are in namespace `default`. */
const NAMESPACE = 'default'

export async function eventsOf(api: Api, object: ApiObject, signal: AbortSignal): Promise<Readonly<Event>[]> {
  const { kind, metadata } = object
  const fieldSelector = [
    fieldEquals('involvedObject.kind', kind),
    fieldEquals('involvedObject.name', metadata.name),
  ].join(',')
  const namespace = metadata.namespace ?? NAMESPACE
  const { items } = await listObjects(api, EVENTS, { fieldSelector, namespace, signal })
  const events = items as unknown as readonly Readonly<Event>[]
  // An earlier object of the same name has nothing to do with this one.
  const own = events.filter(({ involvedObject: { uid } }) => uid === undefined || uid === metadata.uid)
  return own.toSorted((a, b) => lastSeenMs(a) - lastSeenMs(b))
}

export function lastSeenMs(event: Readonly<Event>): number {
  return Date.parse(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '') || 0
}
