import * as z from 'zod'
import { age } from '../age.ts'
import type { ApiObject, ObjectOf, Violation } from '../kind.ts'
import { defineBuiltIn, recordAt } from './built-in.ts'
import { textOr } from './columns.ts'
import { ObjectReference } from './references.ts'

export const Event = defineBuiltIn({
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
      cell: (event, now) => age(text(lastSeen(event)), now),
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
    {
      name: 'Subobject',
      type: 'string',
      jsonPath: '.involvedObject.fieldPath',
      description: 'Which part of it.',
      priority: 1,
    },
    {
      name: 'Source',
      type: 'string',
      jsonPath: '.source.component',
      description: 'Who said so.',
      priority: 1,
      cell: source,
    },
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
  check: checkNamespace,
})
export type Event = ObjectOf<typeof Event>

/** An event lies beside what it is about; what lies in no namespace has its events in one of these. */
const OF_CLUSTER_OBJECTS = ['default', 'kube-system']

function checkNamespace(event: ApiObject): Violation[] {
  const { namespace = '' } = event.metadata
  const about = recordAt(event, 'involvedObject')?.namespace ?? ''
  if (about === '' ? OF_CLUSTER_OBJECTS.includes(namespace) : about === namespace) return []
  return [{ path: ['involvedObject', 'namespace'], value: about, message: 'does not match event.namespace' }]
}

function lastSeen(event: ApiObject): unknown {
  const series = recordAt(event, 'series')
  return series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp
}

function involved(event: ApiObject): string {
  const reference = event.involvedObject as { kind?: string; name?: string } | undefined
  return `${reference?.kind?.toLowerCase() ?? ''}/${reference?.name ?? ''}`
}

function source(event: ApiObject): string {
  const from = recordAt(event, 'source')
  const component = textOr(from?.component, textOr(event.reportingComponent, ''))
  const host = textOr(from?.host, textOr(event.reportingInstance, ''))
  return host === '' ? component : `${component}, ${host}`
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
