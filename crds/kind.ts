/**
 * `defineKind`: one zod source a kind. From it come the TypeScript type, the validator, the CRD YAML, the OpenAPI
 * documents, the table columns and the path segment of its routes. Adding a kind is adding one file and one line in
 * `index.ts`.
 */
import * as z from 'zod'
import type { JsonSchema } from './json-schema.ts'
import { ObjectMeta } from './metadata.ts'

export type ColumnType = 'string' | 'integer' | 'number' | 'boolean' | 'date'

/** A column of `kubectl get`; `priority` above 0 shows only with `-o wide`. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly description: string
  readonly priority?: number
  /** Where the cell's value lies, as in a CRD's printer column. */
  readonly jsonPath: string
  /** For kinds that are never a CRD: computes the cell where a path cannot. */
  readonly cell?: (object: ApiObject, now: Date) => string | number | null
}

export interface Scale {
  readonly specReplicasPath: string
  readonly statusReplicasPath: string
  readonly labelSelectorPath?: string
}

export type ViolationReason =
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueInvalid'
  | 'FieldValueNotFound'
  | 'FieldValueNotSupported'
  | 'FieldValueRequired'
  | 'FieldValueTooLong'
  /** What Kubernetes could not even decode: refused with 400 instead of 422. */
  | 'Malformed'

/** What to check beyond the schema: the message, and the field it is about. */
export interface Violation {
  readonly path: readonly (string | number)[]
  /** What is shown as wrong, where that is not what lies at `path`. */
  readonly value?: unknown
  readonly message: string
  readonly reason?: ViolationReason
}

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'

/** A subresource with a form of its own, beside `status` and `scale`. */
export interface Subresource {
  readonly name: string
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly verbs: readonly Verb[]
}

/** How a kind's objects are read out of another kind's, and written back into them. Both are pure and total. */
export interface View {
  readonly of: Kind
  project(source: ApiObject): ApiObject
  /** `source` with what `changed` says differently; what the view does not cover stays. */
  absorb(source: ApiObject, changed: ApiObject): ApiObject
}

/** What one field of an object breaks, in Kubernetes' words. */
export interface FieldError {
  readonly reason: string
  readonly message: string
  readonly field: string
}

/** The schema of a users' own kind, compiled from its definition. Each works on objects with sound metadata. */
export interface Structure {
  readonly openApi: JsonSchema
  /** Removes, in place, what the schema does not know; returns the dotted paths of what it removed. */
  prune(object: ApiObject): readonly string[]
  fillDefaults(object: ApiObject): void
  /** `previous` is absent on create. */
  check(object: ApiObject, previous: ApiObject | undefined): readonly FieldError[]
}

export interface KindOptions {
  /** '' is the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular?: string
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly scope: 'Cluster' | 'Namespaced'
  readonly description: string
  /** Everything beside apiVersion, kind and metadata, strict: unknown fields are reported by path. */
  readonly fields: z.ZodRawShape
  readonly columns: readonly Column[]
  readonly status?: boolean
  readonly scale?: Scale
  /** Dotted paths usable in `fieldSelector`, besides metadata.name and metadata.namespace. */
  readonly selectableFields?: readonly string[]
  /** Selectable fields whose value lies elsewhere: field to path. */
  readonly fieldAliases?: Readonly<Record<string, string>>
  /** Names that `metadata.name` may have; RFC 1123 subdomain unless given. Returns what is wrong, or undefined. */
  readonly checkName?: (name: string) => string | undefined
  /** Rules across fields. `previous` is absent on create. */
  readonly check?: (object: ApiObject, previous: ApiObject | undefined) => readonly Violation[]
  /** Fills what a zod default cannot know, before validation. `previous` is absent on create. */
  readonly complete?: (object: ApiObject, previous: ApiObject | undefined) => void
  /** Kubernetes' own kind: strategic patches, null as absence, mistakes of type answered as its decoder does. */
  readonly builtIn?: boolean
  /** False: nothing in it is carried out later, so it has no metadata.generation. */
  readonly generation?: boolean
  /** True: a PUT that names no resourceVersion overwrites. */
  readonly unconditionalUpdate?: boolean
  /** What can be done with it; everything unless given. */
  readonly verbs?: readonly Verb[]
  readonly subresources?: readonly Subresource[]
  /** Not stored: another kind's objects, seen differently. */
  readonly view?: View
  /** How long a deleted object may take to end, given what the caller asked for; at 0 it is gone at once. */
  readonly graceSeconds?: (object: ApiObject, asked: number | undefined) => number
  /** CEL twins of `check`, for a foreign kube-apiserver. */
  readonly cel?: readonly { readonly rule: string; readonly message: string }[]
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface Metadata {
  name: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string | null
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
  managedFields?: unknown[]
  selfLink?: string
}

/** Any object of the API, as JSON says it. */
export interface ApiObject {
  apiVersion: string
  kind: string
  metadata: Metadata
  [field: string]: unknown
}

export const ALL_VERBS: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
]

export interface Kind<Shape extends z.ZodRawShape = z.ZodRawShape> extends Omit<KindOptions, 'fields'> {
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly selectableFields: readonly string[]
  readonly verbs: readonly Verb[]
  readonly subresources: readonly Subresource[]
  readonly apiVersion: string
  /** Which resource in which version: the same whatever becomes of its definition. */
  readonly key: string
  /** In a users' own kind it covers the metadata alone; the rest is the `structure`'s. */
  readonly schema: z.ZodObject<Shape & typeof envelope>
  /** Only users' own kinds have one. */
  readonly structure?: Structure
  /** The apiVersion under which objects are stored, whichever one they are written and read in. */
  readonly storedAs: string
  /** Its definition is being deleted: nothing new is taken. */
  readonly isEnding?: boolean
  /** What everybody who still uses this version is warned of. */
  readonly deprecation?: string
}

const envelope = { apiVersion: z.string(), kind: z.string(), metadata: ObjectMeta }

export function defineKind<const Shape extends z.ZodRawShape>(
  options: Omit<KindOptions, 'fields'> & { readonly fields: Shape },
): Kind<Shape> {
  const { fields, ...rest } = options
  const apiVersion = options.group === '' ? options.version : `${options.group}/${options.version}`
  return {
    ...rest,
    singular: options.singular ?? options.kind.toLowerCase(),
    shortNames: options.shortNames ?? [],
    categories: options.categories ?? [],
    selectableFields: options.selectableFields ?? [],
    verbs: options.verbs ?? ALL_VERBS,
    subresources: options.subresources ?? [],
    apiVersion,
    key: `${apiVersion}/${options.plural}`,
    storedAs: apiVersion,
    schema: z.strictObject({ ...envelope, ...fields }) as unknown as Kind<Shape>['schema'],
  }
}

type CustomOptions = Omit<KindOptions, 'fields'> &
  Pick<Kind, 'storedAs' | 'isEnding' | 'deprecation'> & { structure: Structure }

/** A kind that users have defined: made while the server runs, from a CustomResourceDefinition. */
export function defineCustomKind({ storedAs, ...options }: CustomOptions): Kind {
  return { ...defineKind({ ...options, fields: {} }), schema: METADATA_ALONE, storedAs }
}

const METADATA_ALONE = z.looseObject(envelope) as unknown as Kind['schema']

/** The TypeScript type of a kind's objects, as they come back from the API. */
export type ObjectOf<K extends { readonly schema: z.ZodType }> = Omit<z.output<K['schema']>, 'metadata'> & {
  metadata: Metadata
}

/** `units.flotilla.dev`, or `events` in the core group: how error messages and CRDs name a resource. */
export function qualifiedResource(kind: Pick<Kind, 'group' | 'plural'>): string {
  return kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`
}
