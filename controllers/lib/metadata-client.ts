/**
 * Objects of whatever kind the server has, by their metadata alone: for those who deal with names, owners and finalizers
 * and need not know what the objects are about. What kinds there are is asked of the server (aggregated discovery).
 */
import type { ApiObject, Metadata } from '../../crds/kind.ts'
import type { DeleteOptions, List, ListOptions, ObjectOptions } from './client.ts'
import type { Credentials } from './credentials.ts'
import { DISCOVERY_TYPES, type Resource, resourcesIn } from './discovery.ts'
import { watchLines } from './line-watch.ts'
import { collectionPath, objectPath } from './paths.ts'
import type { Query, Transport } from './transport.ts'
import type { WatchOptions } from './watch.ts'

export type { Resource } from './discovery.ts'

export interface MetadataPatch extends ObjectOptions {
  /** A merge patch of the metadata; with `uid` and `resourceVersion` it is for that incarnation in that version only. */
  readonly metadata: Readonly<Record<string, unknown>>
}
export interface Removal extends DeleteOptions {
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
}

/** Every call rejects as those of `ApiReader` and `ApiWriter` do. */
export interface MetadataClient {
  /** Every resource the server has, each once, in the version it prefers. */
  resources(options?: Pick<ObjectOptions, 'signal'>): Promise<Resource[]>
  get(resource: Resource, name: string, options?: ObjectOptions): Promise<{ readonly metadata: Metadata }>
  /** Page by page; what `keep` makes of an object is all that is held of it. */
  list(resource: Resource, options: ListOptions & { readonly keep: Keep }): Promise<List<ApiObject>>
  watch(resource: Resource, options: Pick<ListOptions, 'fieldSelector'> & WatchOptions): Promise<void>
  patch(resource: Resource, name: string, options: MetadataPatch): Promise<{ readonly metadata: Metadata }>
  delete(resource: Resource, name: string, options: Removal): Promise<void>
}

export type Keep = (object: ApiObject) => ApiObject

const PAGE = 500
const LIST_TIMEOUT_MS = 30_000
const PARTIAL = 'g=meta.k8s.io;v=v1,application/json'
const ONE = { accept: `application/json;as=PartialObjectMetadata;${PARTIAL}` } as const
const MANY = { accept: `application/json;as=PartialObjectMetadataList;${PARTIAL}` } as const

export function createMetadataClient(request: Transport['request'], credentials: Credentials): MetadataClient {
  return {
    resources: async (options) => {
      const ask = (path: string) => request('GET', path, { ...options, accept: DISCOVERY_TYPES })
      return (await Promise.all([ask('/api'), ask('/apis')])).flatMap(resourcesIn)
    },
    get: (resource, name, o) => request('GET', objectPath(resource, name, o), { ...o, ...ONE }),
    list: (resource, o) => listAll(request, resource, o),
    watch: (resource, { fieldSelector, ...o }) =>
      watchLines(credentials, collectionPath(resource), { ...o, ...ONE, query: { fieldSelector } }),
    patch: (resource, name, { metadata, ...o }) =>
      request('PATCH', objectPath(resource, name, o), {
        ...o,
        ...ONE,
        contentType: 'application/merge-patch+json',
        body: { metadata },
      }),
    delete: async (resource, name, { uid, resourceVersion, propagationPolicy, ...o }) => {
      const preconditions = { uid, resourceVersion }
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy }
      await request<unknown>('DELETE', objectPath(resource, name, o), { ...o, ...ONE, body })
    },
  }
}

async function listAll(
  request: Transport['request'],
  resource: Resource,
  { keep, fieldSelector, namespace, signal }: ListOptions & { readonly keep: Keep },
): Promise<List<ApiObject>> {
  const items: ApiObject[] = []
  const query: Query = { fieldSelector, limit: String(PAGE) }
  const path = collectionPath(resource, namespace === undefined ? {} : { namespace })
  for (let next: string | undefined; ; ) {
    const page = await request<List<ApiObject>>('GET', path, {
      ...MANY,
      timeoutMs: LIST_TIMEOUT_MS,
      query: { ...query, continue: next },
      ...(signal && { signal }),
    })
    for (const object of page.items ?? []) items.push(keep(object))
    next = page.metadata.continue
    if (!next) return { metadata: page.metadata, items }
  }
}
