import * as z from 'zod'
import type { Metadata, ObjectOf } from '../kind.ts'
import { defineBuiltIn, isRecord } from './built-in.ts'
import { AGE } from './columns.ts'
import { atomicList } from './lists.ts'
import { dnsLabel } from './names.ts'
import { CoreConditions } from './references.ts'

export const Namespace = defineBuiltIn({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  scope: 'Cluster',
  status: true,
  // Namespaces go one by one, as in Kubernetes: all at once would be everything at once.
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  description: 'Holds the objects that are not about hosts.',
  selectableFields: ['status.phase'],
  checkName: dnsLabel,
  fields: {
    spec: z.strictObject({ finalizers: atomicList(z.string()).optional() }).optional(),
    status: z
      .strictObject({ phase: z.enum(['Active', 'Terminating']).optional(), conditions: CoreConditions.optional() })
      .optional(),
  },
  columns: [{ name: 'Status', type: 'string', jsonPath: '.status.phase', description: 'Active or Terminating.' }, AGE],
  complete: (object, previous) => {
    object.spec = withFinalizers(object.spec, previous?.spec)
    object.status ??= { phase: 'Active' }
    nameLabel(object.metadata)
  },
})
export type Namespace = ObjectOf<typeof Namespace>

/** A namespace is created with the finalizer that makes the server empty it first; a write that says nothing keeps it. */
function withFinalizers(spec: unknown, previous: unknown): unknown {
  if (spec !== undefined && !isRecord(spec)) return spec
  const kept = isRecord(previous) ? previous.finalizers : ['kubernetes']
  return { ...spec, finalizers: spec?.finalizers ?? kept }
}

/** The label by which selectors find a namespace by its name. */
function nameLabel(metadata: Metadata): void {
  const { name, labels = {} } = metadata
  if (name && isRecord(labels)) metadata.labels = { ...labels, 'kubernetes.io/metadata.name': name }
}
