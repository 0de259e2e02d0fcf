/** Objects that cannot be shown: said once each, in the log and as an Event beside the object. */
import { createHash } from 'node:crypto'
import type { Logger } from 'pino'
import { Event } from '../../../../crds/index.ts'
import type { ApiObject, Kind } from '../../../../crds/kind.ts'
import { StatusError } from '../../../registry/errors.ts'
import type { Registry } from '../../../registry/registry.ts'
import type { Complain } from './claims.ts'

/** Then what was said is forgotten and may be said again. */
const MAX_REMEMBERED = 10_000

export function createComplain(registry: Registry, log: Logger): Complain {
  const said = new Set<string>()
  return ({ entry, object }, reason) => {
    const why = reason.slice(0, MAX_REASON_LENGTH)
    const id = `${object.metadata.uid} ${why}`
    if (said.has(id)) return
    if (said.size >= MAX_REMEMBERED) said.clear()
    said.add(id)
    log.warn({ kind: object.kind, name: entry.name, why }, 'an object cannot be shown as an etcd v2 key')
    registry
      .create(Event as Kind, entry.namespace ?? 'default', eventOf(object, entry.name, why, id))
      .catch((error) => {
        // Another server, or this one before it was restarted, has said it.
        if (error instanceof StatusError && error.status.code === 409) return
        log.debug({ err: error }, 'the event about an object that cannot be shown was not written')
      })
  }
}

const MAX_NAME_LENGTH = 200
/** Users choose what it quotes. */
const MAX_REASON_LENGTH = 500

function eventOf({ apiVersion, kind, metadata }: ApiObject, name: string, why: string, id: string): ApiObject {
  const now = `${new Date().toISOString().slice(0, 19)}Z`
  const hash = createHash('sha256').update(id).digest('hex').slice(0, 16)
  const { uid, namespace, resourceVersion } = metadata
  return {
    apiVersion: Event.apiVersion,
    kind: Event.kind,
    metadata: { name: `${name.slice(0, MAX_NAME_LENGTH)}.${hash}`, namespace: namespace ?? 'default' },
    involvedObject: { apiVersion, kind, name, uid, resourceVersion, ...(namespace !== undefined && { namespace }) },
    reason: 'NotShownInEtcdV2',
    message: `Old clients do not see it: ${why}`,
    type: 'Warning',
    source: { component: 'flotilla-etcd-v2' },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  }
}
