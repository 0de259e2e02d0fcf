/**
 * The CustomResourceDefinition as this server takes it: what crds/ says of its form, and what only somebody can check who
 * carries it out: schemas, paths, and that no version goes that objects may be stored in.
 */
import type { ApiObject, Kind, Violation } from '../../crds/kind.ts'
import { jsonPath } from '../registry/json-path.ts'
import { DEFINITION, type Definition, hasCondition, type Version } from './definition.ts'
import { checkSchema } from './schema/index.ts'

/** Held until every object of the kind is gone. */
export const CLEANUP = 'customresourcecleanup.apiextensions.k8s.io'

export const definitionKind: Kind = {
  ...DEFINITION,
  complete: (object, previous) => {
    DEFINITION.complete?.(object, previous)
    holdForCleanup(object)
    noteStorage(object)
  },
  check: (object, previous) => {
    const violations = DEFINITION.check?.(object, previous) ?? []
    return [...violations, ...checkDefinition(object as unknown as Definition, previous as Definition | undefined)]
  },
}

/** `builtIn` with the definition as above. */
export function withDefinitions(builtIn: readonly Kind[]): Kind[] {
  return builtIn.map((kind) => (kind.key === DEFINITION.key ? definitionKind : kind))
}

function holdForCleanup({ metadata }: ApiObject): void {
  const { finalizers = [], deletionTimestamp } = metadata
  if (deletionTimestamp === undefined && !finalizers.includes(CLEANUP)) metadata.finalizers = [...finalizers, CLEANUP]
}

/** Every version that objects have ever been stored in stays on record, until somebody who has moved them says so. */
function noteStorage(object: ApiObject): void {
  const { spec, status = {} } = object as unknown as { spec?: Definition['spec']; status?: Definition['status'] }
  const versions = Array.isArray(spec?.versions) ? spec.versions : []
  const stored = versions.find((version) => version?.storage === true)?.name
  const { storedVersions = [] } = status
  if (stored !== undefined && !storedVersions.includes(stored))
    object.status = { ...status, storedVersions: [...storedVersions, stored] }
}

const MUST_BE_FALSE = 'must be false: say x-kubernetes-preserve-unknown-fields in the schema'

function checkDefinition({ spec, status, metadata }: Definition, previous: Definition | undefined): Violation[] {
  const at = (index: number, ...path: (string | number)[]) => ['spec', 'versions', index, ...path]
  return [
    ...spec.versions.flatMap((version, index) => checkVersion(version, (...path) => at(index, ...path))),
    ...checkStored(spec.versions, status?.storedVersions ?? []),
    ...checkApproval(spec.group, metadata.annotations),
    ...(spec.preserveUnknownFields ? [{ path: ['spec', 'preserveUnknownFields'], message: MUST_BE_FALSE }] : []),
    ...(previous && hasCondition(previous, 'Established') && previous.spec.names.kind !== spec.names.kind
      ? [{ path: ['spec', 'names', 'kind'], message: 'field is immutable' }]
      : []),
  ]
}

type At = (...path: (string | number)[]) => (string | number)[]

function checkVersion({ schema, subresources, ...version }: Version, at: At): Violation[] {
  const { additionalPrinterColumns = [], selectableFields = [] } = version
  const openApi = schema?.openAPIV3Schema
  const scale = subresources?.scale
  const scalePath = (name: keyof NonNullable<typeof scale>, roots: readonly string[]): Violation[] =>
    scale?.[name] === undefined ? [] : checkRooted(scale[name], roots, at('subresources', 'scale', name))
  return [
    ...(openApi === undefined ? [] : checkSchema(openApi, at('schema', 'openAPIV3Schema'))),
    ...additionalPrinterColumns.flatMap((column, index) => checkColumn(column, at, index)),
    ...selectableFields.flatMap(({ jsonPath: path }, index) =>
      checkSelectable(path, openApi, at('selectableFields', index, 'jsonPath')),
    ),
    ...scalePath('specReplicasPath', ['.spec.']),
    ...scalePath('statusReplicasPath', ['.status.']),
    ...scalePath('labelSelectorPath', ['.spec.', '.status.']),
  ]
}

const COLUMN_TYPES = ['integer', 'number', 'string', 'boolean', 'date']

function checkColumn(column: NonNullable<Version['additionalPrinterColumns']>[number], at: At, index: number) {
  const path = at('additionalPrinterColumns', index)
  const message = `must be one of ${COLUMN_TYPES.join(',')}`
  return [
    ...(COLUMN_TYPES.includes(column.type) ? [] : [{ path: [...path, 'type'], message }]),
    ...checkPath(column.jsonPath, [...path, 'jsonPath']),
  ]
}

function checkPath(text: string, path: Violation['path']): Violation[] {
  if (!text.startsWith('.')) return [{ path, message: 'must be a simple json path starting with .' }]
  try {
    jsonPath(text)
    return []
  } catch (error) {
    return [{ path, message: (error as Error).message }]
  }
}

/** Paths of numbers that are written, not only shown. */
function checkRooted(text: string, roots: readonly string[], path: Violation['path']): Violation[] {
  if (!roots.some((root) => text.startsWith(root)))
    return [{ path, message: `should be a json path under ${roots.join(' or ')}` }]
  return FIELDS_ONLY.test(text) ? [] : [{ path, message: 'must name fields, without array notation' }]
}

const FIELDS_ONLY = /^(\.[A-Za-z_][A-Za-z0-9_-]*)+$/
const SELECTABLE = ['string', 'boolean', 'integer']

function checkSelectable(text: string, openApi: unknown, path: Violation['path']): Violation[] {
  if (!FIELDS_ONLY.test(text)) return [{ path, message: 'must be a simple json path of fields, starting with .' }]
  if (text.startsWith('.metadata.')) return [{ path, message: 'must not point to fields in metadata' }]
  const schema = text
    .split('.')
    .slice(1)
    .reduce<SchemaLike | undefined>((inner, field) => inner?.properties?.[field], openApi as SchemaLike)
  if (SELECTABLE.includes(schema?.type ?? '')) return []
  return [{ path, message: `is an invalid path: must point to a field of type ${SELECTABLE.join(', ')}` }]
}

interface SchemaLike {
  readonly type?: string
  readonly properties?: Readonly<Record<string, SchemaLike>>
}

const APPROVAL = 'api-approved.kubernetes.io'

/** Groups that Kubernetes has reserved for itself, as it checks them. */
function checkApproval(group: string, annotations: Readonly<Record<string, string>> = {}): Violation[] {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group) || annotations[APPROVAL]) return []
  const message = `protected groups must have approval annotation "${APPROVAL}", see https://github.com/kubernetes/enhancements/pull/1111`
  return [{ path: ['metadata', 'annotations', APPROVAL], message, reason: 'FieldValueRequired' }]
}

function checkStored(versions: readonly Version[], stored: readonly string[]): Violation[] {
  return stored.flatMap((name, index) =>
    versions.some((version) => version.name === name)
      ? []
      : [{ path: ['status', 'storedVersions', index], message: 'must appear in spec.versions' }],
  )
}
