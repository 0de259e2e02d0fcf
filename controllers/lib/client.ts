/**
 * The one way to the API for controllers and agents. Credentials, TLS and `tls-server-name` come from client-node's
 * KubeConfig; requests go straight to undici. Why not client-node's own REST layer: it builds a new connection pool (so a
 * TLS handshake) for every call, turns timestamps into Date on lists but not on watches, and always names JSON Patch
 * as content type; a placement is one small request and 200 of them come at once.
 */
import type * as z from 'zod'
import type { Kind, Metadata, ObjectOf } from '../../crds/kind.ts'
import { type CredentialsSource, createCredentials } from './credentials.ts'
import { createMetadataClient, type MetadataClient } from './metadata-client.ts'
import { collectionPath, objectPath } from './paths.ts'
import { createTransport, type Query } from './transport.ts'
import { type WatchOptions, watchOnce } from './watch.ts'

export { ApiError, isApiError } from './api-error.ts'

export interface CallOptions {
  /** 5 000 (lists: 30 000) unless given. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}
export interface ObjectOptions extends CallOptions {
  readonly namespace?: string
}
export interface ListOptions extends ObjectOptions {
  readonly fieldSelector?: string
  readonly labelSelector?: string
  /** '0': whatever the server has at hand; absent: the newest. */
  readonly resourceVersion?: string
}
export interface WriteOptions extends ObjectOptions {
  readonly subresource?: string
}
export interface PatchOptions extends WriteOptions {
  /** merge: RFC 7386; json: RFC 6902, where a failing `test` comes back as ApiError 422. */
  readonly type: 'merge' | 'json'
  readonly body: unknown
}
export interface DeleteOptions extends ObjectOptions {
  /** Deletes only this incarnation; another one is ApiError 409. */
  readonly uid?: string
  readonly resourceVersion?: string
}

export interface List<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: readonly T[]
}

/** What create accepts: fields with defaults may be left out, apiVersion and kind are filled in. */
export type Draft<K extends Kind> = Omit<z.input<K['schema']>, 'apiVersion' | 'kind' | 'metadata'> & {
  metadata: Partial<Metadata>
}

/** Every call rejects with ApiError (the server said no), DeadlineError, or an Error that says what was tried. */
export interface ApiReader {
  get<K extends Kind>(kind: K, name: string, options?: ObjectOptions): Promise<ObjectOf<K>>
  list<K extends Kind>(kind: K, options?: ListOptions): Promise<List<ObjectOf<K>>>
  /** One watch from `resourceVersion` on; see `watch.ts`. Informers are the usual way. */
  watch<K extends Kind>(kind: K, options: ListOptions & WatchOptions): Promise<void>
}
export interface ApiWriter {
  create<K extends Kind>(kind: K, object: Draft<K>, options?: ObjectOptions): Promise<ObjectOf<K>>
  /** Replaces the object; its metadata.resourceVersion is the guard (ApiError 409). */
  update<K extends Kind>(kind: K, object: ObjectOf<K>, options?: WriteOptions): Promise<ObjectOf<K>>
  patch<K extends Kind>(kind: K, name: string, options: PatchOptions): Promise<ObjectOf<K>>
  delete(kind: Kind, name: string, options?: DeleteOptions): Promise<void>
}
export interface ApiClient extends ApiReader, ApiWriter {
  /** Objects of every kind there is, by their metadata alone. */
  readonly metadata: MetadataClient
  /** Breaks what is in flight and closes the connections. */
  close(): Promise<void>
}

export type ConnectOptions = CredentialsSource & {
  readonly userAgent?: string
  /** After so long without any answer the next one has open watches made anew; 4 000 unless given. */
  readonly silenceMs?: number
}

const LIST_TIMEOUT_MS = 30_000
const PATCH_TYPES = { merge: 'application/merge-patch+json', json: 'application/json-patch+json' } as const

/** Reads the kubeconfig at once (throws when it cannot be read); connects with the first call. */
export function connect(options: ConnectOptions): ApiClient {
  const credentials = createCredentials(options)
  const { request } = createTransport(credentials, options.userAgent ?? 'flotilla', options)
  return {
    metadata: createMetadataClient(request, credentials),
    get: (kind, name, o) => request('GET', objectPath(kind, name, o), { ...o }),
    list: (kind, o) =>
      request('GET', collectionPath(kind, o), { timeoutMs: LIST_TIMEOUT_MS, ...o, query: selectors(o) }),
    watch: (kind, o) => watchOnce(credentials, collectionPath(kind, o), { ...o, query: selectors(o) }),
    create: (kind, object, o) =>
      request('POST', collectionPath(kind, { ...object.metadata, ...o }), {
        ...o,
        body: { apiVersion: kind.apiVersion, kind: kind.kind, ...object },
      }),
    update: (kind, object, o) =>
      request('PUT', objectPath(kind, object.metadata.name, { ...object.metadata, ...o }), { ...o, body: object }),
    patch: (kind, name, { type, ...o }) =>
      request('PATCH', objectPath(kind, name, o), { ...o, contentType: PATCH_TYPES[type] }),
    delete: (kind, name, { uid, resourceVersion, ...o } = {}) =>
      request<unknown>('DELETE', objectPath(kind, name, o), { ...o, ...preconditions(uid, resourceVersion) }).then(
        () => undefined,
      ),
    close: () => credentials.close(),
  }
}

function selectors({ fieldSelector, labelSelector, resourceVersion }: ListOptions = {}): Query {
  return { fieldSelector, labelSelector, resourceVersion }
}

function preconditions(uid: string | undefined, resourceVersion: string | undefined): { readonly body?: unknown } {
  if (uid === undefined && resourceVersion === undefined) return {}
  return { body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } } }
}
