/** Kubernetes' own kinds that we serve. Their shape is upstream's; only the parts that clients use here are named. */
import * as z from 'zod'
import { age } from './age.ts'
import { type ApiObject, defineKind, type ObjectOf } from './kind.ts'

const dnsLabel = (name: string): string | undefined =>
  /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)
    ? undefined
    : "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

export const Namespace = defineKind({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  scope: 'Cluster',
  status: true,
  description: 'Holds the objects that are not about hosts.',
  selectableFields: ['status.phase'],
  checkName: dnsLabel,
  fields: {
    spec: z.strictObject({ finalizers: z.array(z.string()).optional() }).optional(),
    status: z
      .strictObject({
        phase: z.enum(['Active', 'Terminating']).optional(),
        conditions: z.array(z.unknown()).optional(),
      })
      .optional(),
  },
  columns: [
    { name: 'Status', type: 'string', jsonPath: '.status.phase', description: 'Active or Terminating.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
  ],
  complete: (object) => {
    object.spec ??= { finalizers: ['kubernetes'] }
    object.status ??= { phase: 'Active' }
  },
})
export type Namespace = ObjectOf<typeof Namespace>

export const Lease = defineKind({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  scope: 'Namespaced',
  description: 'A claim that its holder renews: heartbeats and leadership.',
  fields: {
    spec: z
      .strictObject({
        holderIdentity: z.string().nullish(),
        leaseDurationSeconds: z.int().min(1).nullish(),
        acquireTime: z.string().nullish(),
        renewTime: z.string().nullish(),
        leaseTransitions: z.int().min(0).nullish(),
      })
      .optional(),
  },
  columns: [
    { name: 'Holder', type: 'string', jsonPath: '.spec.holderIdentity', description: 'Who holds it.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Time since creation.' },
  ],
})
export type Lease = ObjectOf<typeof Lease>

const ObjectReference = z.strictObject({
  apiVersion: z.string().optional(),
  kind: z.string().optional(),
  namespace: z.string().optional(),
  name: z.string().optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  fieldPath: z.string().optional(),
})

export const Event = defineKind({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  scope: 'Namespaced',
  description: 'Something that happened to an object, for people to read.',
  selectableFields: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  fieldAliases: { source: 'source.component' },
  fields: {
    involvedObject: ObjectReference,
    reason: z.string().optional(),
    message: z.string().optional(),
    type: z.string().optional(),
    count: z.int().optional(),
    firstTimestamp: z.string().nullish(),
    lastTimestamp: z.string().nullish(),
    eventTime: z.string().nullish(),
    source: z.strictObject({ component: z.string().optional(), host: z.string().optional() }).optional(),
    action: z.string().optional(),
    related: ObjectReference.optional(),
    series: z.strictObject({ count: z.int().optional(), lastObservedTime: z.string().optional() }).optional(),
    reportingComponent: z.string().optional(),
    reportingInstance: z.string().optional(),
  },
  columns: [
    {
      name: 'Last Seen',
      type: 'string',
      jsonPath: '.lastTimestamp',
      description: 'Time since it was last seen.',
      cell: (event, now) => age(text(event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp), now),
    },
    { name: 'Type', type: 'string', jsonPath: '.type', description: 'Normal or Warning.' },
    { name: 'Reason', type: 'string', jsonPath: '.reason', description: 'One word.' },
    {
      name: 'Object',
      type: 'string',
      jsonPath: '.involvedObject.name',
      description: 'What it is about.',
      cell: involved,
    },
    { name: 'Source', type: 'string', jsonPath: '.source.component', description: 'Who said so.', priority: 1 },
    { name: 'Message', type: 'string', jsonPath: '.message', description: 'What happened.' },
    {
      name: 'First Seen',
      type: 'string',
      jsonPath: '.firstTimestamp',
      description: 'Time since it was first seen.',
      priority: 1,
      cell: (event, now) => age(text(event.firstTimestamp ?? event.eventTime), now),
    },
    { name: 'Count', type: 'integer', jsonPath: '.count', description: 'How often.', priority: 1 },
    { name: 'Name', type: 'string', jsonPath: '.metadata.name', description: 'Name of the event.', priority: 1 },
  ],
})
export type Event = ObjectOf<typeof Event>

function involved(event: ApiObject): string {
  const reference = event.involvedObject as { kind?: string; name?: string } | undefined
  return `${reference?.kind?.toLowerCase() ?? ''}/${reference?.name ?? ''}`
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
