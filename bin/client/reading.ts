/** Lists and single objects, as tables or whole. */
import type { ApiObject } from '../../crds/kind.ts'
import type { Api } from './api.ts'
import { collectionPath, objectPath, type ResourceType } from './resources.ts'
import type { Row, Table } from './table.ts'

export interface Selection {
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Undefined: all namespaces. */
  readonly namespace?: string | undefined
  readonly signal?: AbortSignal
}
export interface VersionedTable extends Table {
  readonly resourceVersion: string
}

export const TABLE_ACCEPT = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

interface ListAnswer {
  readonly kind?: string
  readonly metadata?: { readonly resourceVersion?: string }
  readonly items?: readonly ApiObject[]
}

export async function readObject(
  api: Api,
  type: ResourceType,
  name: string,
  { namespace, signal }: Selection = {},
): Promise<ApiObject> {
  const { value } = await api.request('GET', objectPath(type, name, namespace), { ...(signal && { signal }) })
  return value as ApiObject
}

export async function listObjects(
  api: Api,
  type: ResourceType,
  selection: Selection = {},
): Promise<{ readonly items: readonly ApiObject[]; readonly resourceVersion: string }> {
  const { value } = await api.request('GET', collectionPath(type, selection.namespace), listCall(selection))
  const { items = [], metadata } = value as ListAnswer
  // Items of Kubernetes' own kinds do not say what they are.
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`
  return {
    items: items.map((item) => ({ ...item, apiVersion, kind: type.kind })),
    resourceVersion: metadata?.resourceVersion ?? '',
  }
}

export async function listTable(api: Api, type: ResourceType, selection: Selection = {}): Promise<VersionedTable> {
  const path = collectionPath(type, selection.namespace)
  const { value } = await api.request('GET', path, { ...listCall(selection), accept: TABLE_ACCEPT })
  return tableOf(value)
}

export async function readTable(
  api: Api,
  type: ResourceType,
  name: string,
  { namespace, signal }: Selection = {},
): Promise<VersionedTable> {
  const path = objectPath(type, name, namespace)
  const { value } = await api.request('GET', path, { accept: TABLE_ACCEPT, ...(signal && { signal }) })
  return tableOf(value)
}

function listCall({ labelSelector, fieldSelector, signal }: Selection) {
  return { query: { labelSelector, fieldSelector }, ...(signal && { signal }) }
}

/** A server may know no tables and answer with the objects themselves. */
export function tableOf(value: unknown): VersionedTable {
  const answer = value as ListAnswer & Partial<Table> & { readonly metadata?: ApiObject['metadata'] }
  const resourceVersion = answer.metadata?.resourceVersion ?? ''
  if (answer.kind === 'Table')
    return { columnDefinitions: answer.columnDefinitions ?? [], rows: answer.rows ?? [], resourceVersion }
  const objects = answer.items ?? [value as ApiObject]
  return { columnDefinitions: PLAIN_COLUMNS, rows: objects.map(plainRow), resourceVersion }
}

const PLAIN_COLUMNS = [{ name: 'Name' }, { name: 'Created At' }]

function plainRow(object: ApiObject): Row {
  return {
    cells: [object.metadata.name, object.metadata.creationTimestamp],
    object: { metadata: { ...object.metadata } },
  }
}
