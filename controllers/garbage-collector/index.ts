/**
 * The garbage collector: deletes what is left when all of its owners are gone, carries out deletions in the foreground
 * and without dependents, and takes dead references out of what has another owner (decision 13). It knows no kinds: the
 * server says what there is, and metadata alone is read of it.
 *
 * It keeps nothing that a restart would lose: what is to be done is in the objects' owner references and finalizers.
 */
import type { Logger } from 'pino'
import type { OwnerReference } from '../../crds/kind.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { type Controller, createController } from '../lib/controller.ts'
import type { EventRecorder } from '../lib/events.ts'
import type { MetadataClient } from '../lib/metadata-client.ts'
import { group, type Runnable } from '../lib/runnable.ts'
import { createGraph } from './graph.ts'
import type { Item } from './item.ts'
import { createKinds } from './kinds.ts'
import { createOwners } from './owners.ts'
import { createReconcile } from './reconcile.ts'

export interface GarbageCollectorOptions {
  readonly client: { readonly metadata: MetadataClient }
  readonly events: Pick<EventRecorder, 'record'>
  readonly log: Logger
  readonly clock?: Clock
}

const WORKERS = 16
const RETRY = { firstMs: 10, maxMs: 10_000 }

/** To be started by the leader: it observes only while it acts. */
export function createGarbageCollector(options: GarbageCollectorOptions): Runnable {
  const { log, clock = systemClock } = options
  const { metadata: client } = options.client
  const graph = createGraph({ changed: (id) => collector.enqueue(id), doubted: (uid) => owners.doubt(uid) })
  const lookAtAll = () => {
    for (const { id } of graph.items()) collector.enqueue(id)
  }
  const kinds = createKinds({ client, graph, onChange: lookAtAll, log, clock })
  const misplaced = (item: Item, reference: OwnerReference) => tellMisplaced(options, item, reference)
  const owners = createOwners({ client, resolve: kinds.resolve, misplaced })
  const reconcile = createReconcile({ client, graph, owners, kinds, clock })
  const limits = { workers: WORKERS, backoff: RETRY }
  const collector: Controller = createController({ name: 'garbage-collector', reconcile, log, clock, ...limits })
  return group('garbage-collector', [collector, kinds])
}

/** In Kubernetes' words. */
function tellMisplaced({ events }: GarbageCollectorOptions, item: Item, reference: OwnerReference): void {
  const { resource, name, namespace = '', uid } = item
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
  const subject = { apiVersion, kind: resource.kind, metadata: { name, uid, ...(namespace && { namespace }) } }
  const owner = `[${reference.apiVersion}/${reference.kind}, namespace: ${namespace}, name: ${reference.name}, uid: ${reference.uid}]`
  const message = `ownerRef ${owner} does not exist in namespace ${JSON.stringify(namespace)}`
  events.record(subject, { type: 'Warning', reason: 'OwnerRefInvalidNamespace', message })
}
